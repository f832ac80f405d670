// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The files in bpffs that keep maps and links alive: {@code ROOT/v1/MAP} and {@code
 * ROOT/v1/links/PROGRAM} or {@code ROOT/v1/links/PROGRAM-IFINDEX}.
 */
final class Pins {
  private final Path root;
  private final Path folder;
  private final Path links;

  Pins(Path root) {
    this.root = root;
    this.folder = root.resolve("v" + Layout.VERSION);
    this.links = folder.resolve("links");
  }

  /** Where maps are pinned under their names. */
  Path maps() {
    return folder;
  }

  Path map(String name) {
    return folder.resolve(name);
  }

  Path link(String program) {
    return links.resolve(program);
  }

  /** Whether an earlier agent left anything of this layout. */
  boolean present() {
    return Files.isDirectory(folder);
  }

  void create() {
    try {
      Files.createDirectories(links);
    } catch (IOException e) {
      throw new DataplaneException(
          "make folder " + links + ": mount a bpffs at or above it (mount -t bpf bpf /sys/fs/bpf)",
          e);
    }
  }

  /** The names of all pinned links. */
  List<String> linkNames() {
    return names(links);
  }

  /** Folders beside this layout's own: pins of other versions. */
  List<String> otherVersions() {
    return names(root).stream().filter(name -> !root.resolve(name).equals(folder)).toList();
  }

  void unpin(Path pin) {
    try {
      Files.deleteIfExists(pin);
    } catch (DirectoryNotEmptyException e) {
      throw new DataplaneException(
          "remove pin " + pin + ": it is a folder that somebody has put something into; remove it",
          e);
    } catch (IOException e) {
      throw new DataplaneException("remove pin " + pin, e);
    }
  }

  /** Takes all pins of this layout away, and the folders. */
  void removeAll() {
    names(links).forEach(name -> unpin(links.resolve(name)));
    unpin(links);
    names(folder).forEach(name -> unpin(folder.resolve(name)));
    unpin(folder);
    if (names(root).isEmpty()) {
      unpin(root);
    }
  }

  private static List<String> names(Path directory) {
    List<String> found = new ArrayList<>();
    if (!Files.isDirectory(directory)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> found.add(String.valueOf(entry.getFileName())));
    } catch (IOException e) {
      throw new DataplaneException("list pins in " + directory, e);
    }
    return found;
  }
}
