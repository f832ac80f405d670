// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import io.pointsman.testing.Project;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A User-Mode Linux. It has one CPU.
 *
 * @param megabytes its memory, which is taken only as it is used
 * @param modules kernel modules that are loaded first
 * @param patience how long it may say nothing new before it is ended
 */
public record UserModeLinux(int megabytes, List<String> modules, Duration patience)
    implements InnerMachine {
  /** The order of test classes that boot one: they take longest. */
  public static final int FIRST = 1;

  /** The order of what waits more than it computes: it goes well beside it. */
  public static final int BESIDE = 2;

  /** Takes a copy. */
  public UserModeLinux {
    modules = List.copyOf(modules);
  }

  @Override
  public String title() {
    return "User-Mode Linux";
  }

  @Override
  public int run(String command, Watcher watcher) {
    List<String> resources = List.of("/uml/start.sh", "/uml/init.sh", "/uml/xstate.c");
    return new InnerBoot(title(), resources, modules, patience, this::commandLine)
        .run(command, watcher);
  }

  /** Pinned to one CPU, which halves the price of every system call; in a PID namespace to end. */
  private List<String> commandLine(Path folder) {
    return List.of(
        "taskset",
        "-c",
        lastCpu(),
        "unshare",
        "--pid",
        "--fork",
        "--kill-child=KILL",
        InnerBoot.starter(folder).toString(),
        Integer.toString(megabytes));
  }

  private static String lastCpu() {
    String allowed =
        Project.read(Path.of("/proc/self/status"))
            .lines()
            .filter(line -> line.startsWith("Cpus_allowed_list:"))
            .findFirst()
            .orElseThrow();
    return allowed.substring(allowed.lastIndexOf(':') + 1).strip().replaceFirst(".*[,-]", "");
  }
}
