// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What /proc tells of the machine's processes. */
final class Processes {
  private static final Path PROC = Path.of("/proc");

  private Processes() {}

  /** When process {@code pid} began, in ticks since the machine did; -1 when there is none. */
  static long started(long pid) {
    try {
      var stat = Files.readString(PROC.resolve(pid + "/stat"));
      // The name is in parentheses and may hold anything; what follows it are fields 3 and on.
      var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return "Z".equals(fields[0]) ? -1 : Long.parseLong(fields[19]);
    } catch (IOException e) {
      return -1;
    }
  }

  /** The processes that were started with {@code argument} as one of their arguments. */
  static List<Long> withArgument(String argument) {
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> arguments(pid).contains(argument))
        .toList();
  }

  private static List<String> arguments(long pid) {
    try {
      return List.of(Files.readString(PROC.resolve(pid + "/cmdline")).split("\0"));
    } catch (IOException e) {
      // It ended while we were looking.
      return List.of();
    }
  }

  /**
   * Waits until {@code condition} holds; false when it still does not after that many seconds, or
   * four times as many on a machine on which importing images takes minutes. It asks more and more
   * seldom, because a look takes from the processors what it waits for.
   */
  static boolean await(int seconds, BooleanSupplier condition) {
    var patience = Images.areGiven() ? 4 : 1;
    var longest = Images.areGiven() ? 2_000 : 250;
    var deadline = System.nanoTime() + seconds * patience * 1_000_000_000L;
    var pause = 20;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      try {
        Thread.sleep(pause);
        pause = Math.min(longest, pause + pause / 2);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LabException("interrupted while waiting", e);
      }
    }
    return true;
  }
}
