// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.nio.file.Path;

/** The processor time of a process and of those children that it has waited for. */
public final class CpuTime {
  /** Fields of /proc/PID/stat behind the name: utime, stime, cutime, cstime; proc(5). */
  private static final int FIRST = 11;

  private static final int FIELDS = 4;

  /** USER_HZ is 100 on every architecture that Pointsman is built for. */
  private static final double MILLIS_PER_TICK = 10;

  private CpuTime() {}

  /** In milliseconds. */
  public static double millis(long pid) {
    String stat = Project.read(Path.of("/proc", Long.toString(pid), "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    double ticks = 0;
    for (int i = FIRST; i < FIRST + FIELDS; i++) {
      ticks += Long.parseLong(fields[i]);
    }
    return ticks * MILLIS_PER_TICK;
  }
}
