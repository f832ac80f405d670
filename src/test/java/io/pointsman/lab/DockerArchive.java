// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Writes an image as {@code docker save} does: a tar of manifest.json, a configuration and layers.
 * The format is that of the Docker Image Specification v1.2.
 */
final class DockerArchive {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PLAIN =
      "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu";

  private DockerArchive() {}

  /** A layer of all files under {@code folder}, as {@code layer}. */
  static void layer(Path folder, Path layer) {
    var command = new ArrayList<>(List.of("tar"));
    command.addAll(List.of(PLAIN.split(" ")));
    command.addAll(List.of("-C", folder.toString(), "-cf", layer.toString(), "."));
    Command.run(command).check();
  }

  /**
   * Writes the image.
   *
   * @param target the archive to write; it appears in one step
   * @param work a folder for files on the way, which holds the layers
   * @param name the image's name and tag
   * @param entrypoint what a container of it runs
   * @param layers tar files in {@code work}, lowest first
   */
  static void write(
      Path target, Path work, String name, List<String> entrypoint, List<Path> layers) {
    var digests = layers.stream().map(layer -> "sha256:" + digest(layer)).toList();
    var configuration =
        Map.of(
            "architecture", architecture(),
            "os", "linux",
            "config",
                Map.of(
                    "Entrypoint",
                    entrypoint,
                    "Env",
                    List.of("PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/")),
            "rootfs", Map.of("type", "layers", "diff_ids", digests));
    var names = layers.stream().map(layer -> layer.getFileName().toString()).toList();
    var manifest =
        List.of(Map.of("Config", "config.json", "RepoTags", List.of(name), "Layers", names));
    LabFolders.write(work.resolve("config.json"), json(configuration));
    LabFolders.write(work.resolve("manifest.json"), json(manifest));
    // In a folder of its own: two labs that come up at a time may make the same image.
    var part = work.resolve("archive.tar");
    var command = new ArrayList<>(List.of("tar"));
    command.addAll(List.of(PLAIN.split(" ")));
    command.addAll(
        List.of("-C", work.toString(), "-cf", part.toString(), "manifest.json", "config.json"));
    command.addAll(names);
    Command.run(command).check();
    try {
      Files.move(part, target, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SHA-256 of a file, in hexadecimal. */
  static String digest(Path file) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      try (var stream = new DigestInputStream(Files.newInputStream(file), digest)) {
        stream.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String architecture() {
    var name = System.getProperty("os.arch");
    return name.equals("aarch64") ? "arm64" : name;
  }

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
