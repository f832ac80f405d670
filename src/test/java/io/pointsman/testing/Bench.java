// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/** How benchmarks are run, and how they print. */
public final class Bench {
  private static final String PROPERTY = "pointsman.bench.services";

  private Bench() {}

  /** The numbers that the property pointsman.bench.services lists, or else the usual ones. */
  public static IntStream sizes(int... usual) {
    String wanted = System.getProperty(PROPERTY);
    return wanted == null
        ? Arrays.stream(usual)
        : Arrays.stream(wanted.split(",", -1)).mapToInt(size -> Integer.parseInt(size.strip()));
  }

  /** Prints a figure in words. */
  @SuppressWarnings("SystemOut") // what a benchmark is for
  public static void print(String format, Object... arguments) {
    System.out.println("BENCH " + String.format(Locale.ROOT, format, arguments));
  }
}
