// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Where a lab and what it is made of are kept on the machine. */
final class LabFolders {
  private LabFolders() {}

  /** The folder of the lab: POINTSMAN_LAB_DIR (or /var/lib/pointsman-lab) and its name. */
  static Path lab(String name) {
    var base = System.getenv().getOrDefault("POINTSMAN_LAB_DIR", "/var/lib/pointsman-lab");
    return Path.of(base).toAbsolutePath().normalize().resolve(name);
  }

  /** The cache of programs and images: POINTSMAN_CACHE or ~/.cache/pointsman. */
  static Path cache() {
    var home = System.getenv().getOrDefault("HOME", System.getProperty("user.home"));
    var cache = System.getenv().getOrDefault("POINTSMAN_CACHE", home + "/.cache/pointsman");
    return Path.of(cache).toAbsolutePath().normalize();
  }

  /**
   * The project's folder: the nearest one upwards that holds scripts/go-binaries.
   *
   * @throws LabException when there is none
   */
  static Path project() {
    for (var folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.isExecutable(folder.resolve("scripts/go-binaries"))) {
        return folder;
      }
    }
    throw new LabException("the project's folder was not found: run this from within it");
  }

  static void create(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void createParent(Path file) {
    var parent = file.getParent();
    if (parent != null) {
      create(parent);
    }
  }

  static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void write(Path file, String text) {
    try {
      createParent(file);
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes what nobody but root may read. */
  static void writeSecret(Path file, String text) {
    try {
      createParent(file);
      Files.deleteIfExists(file);
      var owner = PosixFilePermissions.fromString("rw-------");
      Files.createFile(file, PosixFilePermissions.asFileAttribute(owner));
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
