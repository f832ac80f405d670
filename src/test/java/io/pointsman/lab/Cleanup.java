// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Files;
import java.util.List;

/** Takes away what a lab left, whether it was brought down or killed half-way. */
final class Cleanup {
  private static final int SECONDS_TO_END = 30;

  private Cleanup() {}

  /** Ends all processes of the lab of that name and removes its cgroups and its folder. */
  static void clear(String name) {
    var folder = LabFolders.lab(name);
    var mark = folder.resolve("pid").toString();
    // The parent of the lab's first process carries this argument; the kernel ends the rest with
    // it.
    var ended =
        Processes.await(
            SECONDS_TO_END,
            () -> {
              var left = Processes.withArgument(mark);
              left.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
              return left.isEmpty();
            });
    if (!ended) {
      throw new LabException(
          "lab '%s' does not end: see which process names %s".formatted(name, mark));
    }
    Cgroups.remove(LabState.cgroup(name));
    if (Files.exists(folder)) {
      Command.run(List.of("rm", "-rf", "--one-file-system", folder.toString())).check();
    }
  }
}
