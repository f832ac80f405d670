// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.pointsman.operator.plan.DaemonSetRef;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * When a DaemonSet's selector may be set again: at once the first time, then ever more slowly, so
 * that two controllers never wrestle in a tight loop.
 */
final class SelectorBackoff {
  private static final Duration LONGEST = Duration.ofMinutes(2);
  private static final Duration CALM = Duration.ofMinutes(10);

  private final Duration first;
  private final Map<DaemonSetRef, Record> records = new HashMap<>();

  private record Record(Instant from, int attempts) {}

  SelectorBackoff(Duration first) {
    this.first = first;
  }

  /**
   * Whether to set the selector now; the answer yes is counted.
   *
   * @param stolen whether it has been there before
   */
  synchronized boolean grant(DaemonSetRef ref, boolean stolen, Instant now) {
    Record record = records.get(ref);
    if (record == null && stolen) {
      records.put(ref, new Record(now, 0));
      return false;
    }
    if (record == null || !now.isBefore(record.from().plus(pause(record.attempts())))) {
      records.put(ref, new Record(now, record == null ? 0 : record.attempts() + 1));
      return true;
    }
    return false;
  }

  /** The selector is in place; after a calm while what was is forgotten. */
  synchronized void held(DaemonSetRef ref, Instant now) {
    records.computeIfPresent(
        ref, (key, record) -> now.isAfter(record.from().plus(CALM)) ? null : record);
  }

  private Duration pause(int attempts) {
    Duration pause = first.multipliedBy(1L << Math.min(attempts, 16));
    return pause.compareTo(LONGEST) > 0 ? LONGEST : pause;
  }
}
