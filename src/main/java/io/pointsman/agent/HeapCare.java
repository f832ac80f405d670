// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/**
 * Has the heap collected once enough of it can be garbage. The serial collector lets the old
 * generation grow to the heap's limit before it looks there, and reading a large table back fills
 * some of it each time.
 */
final class HeapCare {
  /** Less than this, in bytes, is not worth a collection. */
  static final long LEAST = 24L << 20;

  private final LongSupplier used;
  private final LongSupplier kept;
  private final Runnable collect;

  /**
   * Looks after a generation.
   *
   * @param used bytes in use now
   * @param kept bytes that were in use after it was collected last
   */
  HeapCare(LongSupplier used, LongSupplier kept, Runnable collect) {
    this.used = used;
    this.kept = kept;
    this.collect = collect;
  }

  /** Looks after this JVM's old generation; does nothing where the collector is another one. */
  static HeapCare ofThisJvm() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().equals("Tenured Gen"))
        .findFirst()
        .map(
            pool ->
                new HeapCare(
                    () -> pool.getUsage().getUsed(),
                    () -> pool.getCollectionUsage().getUsed(),
                    System::gc))
        .orElseGet(() -> new HeapCare(() -> 0, () -> 0, () -> {}));
  }

  /** To be called when what has just been worked with is needed no more. */
  void tend() {
    long last = kept.getAsLong();
    if (used.getAsLong() - last > Math.max(LEAST, last / 2)) {
      collect.run();
    }
  }
}
