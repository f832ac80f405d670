// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/** The folders under target/ that test servers keep their files in, named after the JVM. */
final class ServerFolders {
  private static final String PREFIX = "api-server-";

  private ServerFolders() {}

  /** A new folder; those of JVMs that were killed are removed. */
  static Path create() {
    try {
      Path target = Files.createDirectories(Project.folder().resolve("target"));
      try (var left = Files.newDirectoryStream(target, PREFIX + "*")) {
        for (Path folder : left) {
          if (ProcessHandle.of(owner(folder)).isEmpty()) {
            delete(folder);
          }
        }
      }
      return Files.createTempDirectory(target, PREFIX + ProcessHandle.current().pid() + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long owner(Path folder) {
    return Long.parseLong(folder.getFileName().toString().split("-")[2]);
  }

  /** Removes a folder with all that is in it. */
  static void delete(Path folder) {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
