// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is dear to get and soon old: looks that are made together share one. */
final class Shared<T> {
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Supplier<T> source;
  private final LongSupplier clock;
  private @Nullable T held;
  private long heldSince;

  Shared(Supplier<T> source, LongSupplier clock) {
    this.source = source;
    this.clock = clock;
  }

  /** One that is at most two seconds old. */
  synchronized T get() {
    T known = held;
    if (known == null || clock.getAsLong() - heldSince > FRESH_NANOS) {
      known = source.get();
      held = known;
      heldSince = clock.getAsLong();
    }
    return known;
  }
}
