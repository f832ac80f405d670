// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * How long something may take that the kernel or a pod is about to do.
 *
 * @param limit after it there are no more looks
 * @param minLooks are taken in any case: a machine that stands still loses the time in which it
 *     would have happened
 */
record Patience(Duration limit, int minLooks) {
  private static final long PAUSE_NANOS = Duration.ofMillis(1).toNanos();

  /**
   * Looks again and again until it has happened, or this is at its end.
   *
   * @param nanos the time
   */
  void await(BooleanSupplier happened, LongSupplier nanos) {
    long deadline = nanos.getAsLong() + limit.toNanos();
    for (int looks = 1; !happened.getAsBoolean(); looks++) {
      if (looks >= minLooks && nanos.getAsLong() - deadline >= 0) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
