// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** The lab's cgroups, in every hierarchy that the machine has. */
final class Cgroups {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final int SECONDS_TO_EMPTY = 30;

  private Cgroups() {}

  /** The roots of all hierarchies: one on a machine with cgroup v2 alone, else many. */
  static List<Path> hierarchies() {
    if (Files.exists(ROOT.resolve("cgroup.procs"))) {
      return List.of(ROOT);
    }
    try (var folders = Files.list(ROOT)) {
      return folders
          .filter(folder -> !Files.isSymbolicLink(folder))
          .filter(folder -> Files.exists(folder.resolve("cgroup.procs")))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes {@code cgroup} and all below it, once the processes that are ending have ended. */
  static void remove(String cgroup) {
    for (var hierarchy : hierarchies()) {
      var folder = hierarchy.resolve(cgroup);
      if (!Processes.await(SECONDS_TO_EMPTY, () -> removed(folder))) {
        throw new LabException(
            "cgroup %s still has processes: end them, then run 'make lab-down' again"
                .formatted(folder));
      }
    }
  }

  /** A cgroup is removed as a folder; the files in it go by themselves. */
  private static boolean removed(Path cgroup) {
    if (!Files.exists(cgroup)) {
      return true;
    }
    try (var folders = Files.walk(cgroup)) {
      folders
          .filter(Files::isDirectory)
          .sorted(Comparator.reverseOrder())
          .forEach(folder -> folder.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      // A cgroup went while we walked: the next round sees what is left.
      return false;
    }
    return !Files.exists(cgroup);
  }
}
