// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The project's own files. */
public final class Project {
  private Project() {}

  /**
   * The project's folder: the nearest one upwards with a pom.xml.
   *
   * @throws IllegalStateException when there is none
   */
  public static Path folder() {
    for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.exists(folder.resolve("pom.xml"))) {
        return folder;
      }
    }
    throw new IllegalStateException("no pom.xml in this folder or above: run from the project");
  }

  /** A file of the project as text. */
  public static String read(String path) {
    return read(folder().resolve(path));
  }

  /** A file as text. */
  public static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
