// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import java.util.HashSet;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Hands out numbers, unsigned and never 0, that are not in use. Entries of ct and sock_nat remember
 * ids of sets that may be gone, so a number comes back only after all others.
 */
final class NatIds {
  /** A new agent skips numbers that the one before may have used last and that are gone. */
  private static final int RESTART_GAP = 0x10000;

  /** From here on the numbers in use are looked at, because the end is near. */
  private static final int NEAR_END = 0xf0000000;

  private final Set<Integer> avoid = new HashSet<>();
  private int last;
  private boolean recovered;

  /** Names every number that is in use. */
  @FunctionalInterface
  interface InUse {
    void forEach(IntConsumer number);
  }

  /** Goes on after the numbers that are in use. */
  void recover(InUse used) {
    used.forEach(number -> last = Integer.compareUnsigned(last, number) >= 0 ? last : number);
    if (!recovered && last != 0) {
      last += RESTART_GAP;
    }
    recovered = true;
    avoid.clear();
    if (Integer.compareUnsigned(last, NEAR_END) >= 0
        || Integer.compareUnsigned(last, RESTART_GAP) < 0) {
      used.forEach(avoid::add);
    }
  }

  /**
   * The next free number.
   *
   * @param used looked at only when all numbers were handed out once
   */
  int next(InUse used) {
    do {
      last++;
      if (last == 0) {
        used.forEach(avoid::add);
      }
    } while (last == 0 || avoid.contains(last));
    return last;
  }
}
