// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.pointsman.operator.plan.DaemonSetRef;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When a DaemonSet's selector may be set again: at once the first time, later only a while after it
 * was missed, and that while doubles, so that two controllers never wrestle in a tight loop.
 */
final class SelectorBackoff {
  private static final Duration LONGEST = Duration.ofMinutes(2);
  private static final Duration CALM = Duration.ofMinutes(10);

  private final Duration first;
  private final Map<DaemonSetRef, Past> pasts = new HashMap<>();

  /**
   * What happened to a DaemonSet so far.
   *
   * @param missed when the selector was first seen missing; null while it is in place
   * @param set when it was set last
   * @param restored how often it was put back
   */
  private record Past(@Nullable Instant missed, Instant set, int restored) {}

  SelectorBackoff(Duration first) {
    this.first = first;
  }

  /**
   * Whether to set the selector now; the answer yes is counted.
   *
   * @param stolen whether it must have been there before
   */
  synchronized boolean grant(DaemonSetRef ref, boolean stolen, Instant now) {
    Past past = pasts.get(ref);
    if (past == null && !stolen) {
      pasts.put(ref, new Past(null, now, 0));
      return true;
    }
    if (past == null || past.missed() == null) {
      pasts.put(
          ref, new Past(now, past == null ? now : past.set(), past == null ? 0 : past.restored()));
      return false;
    }
    if (now.isBefore(past.missed().plus(pause(past.restored())))) {
      return false;
    }
    pasts.put(ref, new Past(null, now, past.restored() + 1));
    return true;
  }

  /** The selector is in place; after a calm while what was is forgotten. */
  synchronized void held(DaemonSetRef ref, Instant now) {
    pasts.computeIfPresent(
        ref,
        (key, past) ->
            now.isAfter(past.set().plus(CALM))
                ? null
                : new Past(null, past.set(), past.restored()));
  }

  /** The operator takes the selector away itself: nobody is to be waited for when it comes back. */
  synchronized void released(DaemonSetRef ref) {
    pasts.remove(ref);
  }

  private Duration pause(int restored) {
    Duration pause = first.multipliedBy(1L << Math.min(restored, 16));
    return pause.compareTo(LONGEST) > 0 ? LONGEST : pause;
  }
}
