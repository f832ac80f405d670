// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.util.Arrays;
import java.util.stream.IntStream;

/** How many Services benchmarks are run with. */
public final class BenchSizes {
  private static final String PROPERTY = "pointsman.bench.services";

  private BenchSizes() {}

  /** The numbers that the property pointsman.bench.services lists, or else the usual ones. */
  public static IntStream or(int... usual) {
    String wanted = System.getProperty(PROPERTY);
    return wanted == null
        ? Arrays.stream(usual)
        : Arrays.stream(wanted.split(",", -1)).mapToInt(size -> Integer.parseInt(size.strip()));
  }
}
