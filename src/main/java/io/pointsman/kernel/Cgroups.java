// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.nio.file.Path;
import java.util.List;

/** Finds the cgroup v2 hierarchy. */
public final class Cgroups {
  /** CGROUP2_SUPER_MAGIC of linux/magic.h. */
  private static final long CGROUP2_MAGIC = 0x63677270L;

  private static final List<Path> PLACES =
      List.of(Path.of("/sys/fs/cgroup"), Path.of("/sys/fs/cgroup/unified"));

  private Cgroups() {}

  /** Whether a path lies in a cgroup2 file system. */
  public static boolean isCgroup2(Path path) {
    return Libc.fileSystemMagic(path.toString()) == CGROUP2_MAGIC;
  }

  /**
   * The root of the hierarchy: /sys/fs/cgroup, or its folder "unified" on hosts that still have
   * version 1 beside it.
   *
   * @throws IllegalStateException when there is none; the message says what to do
   */
  public static Path root() {
    return PLACES.stream()
        .filter(Cgroups::isCgroup2)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "no cgroup2 file system at "
                        + PLACES
                        + ": mount one with: mount -t cgroup2 none /sys/fs/cgroup"));
  }
}
