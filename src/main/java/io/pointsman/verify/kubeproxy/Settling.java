// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells a kube-proxy that is behind from one that is about to follow: events reach nodes at
 * different times, so a difference counts only when it is there at every look for a while. For one
 * thread at a time.
 */
public final class Settling {
  private long windowNanos;
  private @Nullable Set<Difference> lasting;
  private long since;

  /** Whether to look again. */
  public enum State {
    /** Nothing is there that was there from the beginning. */
    SETTLED,
    /** Something is, and it may still go. */
    WAITING,
    /** Something was there for the whole time. */
    LASTING
  }

  /** With the time that a difference may last, in nanoseconds. */
  public Settling(long windowNanos) {
    this.windowNanos = windowNanos;
  }

  /** Lets a difference last for so long at least, in nanoseconds. */
  public void stretch(long nanos) {
    windowNanos = Math.max(windowNanos, nanos);
  }

  /** Takes what one look has shown. */
  public State add(Set<Difference> seen, long nowNanos) {
    Set<Difference> left = lasting;
    if (left == null) {
      left = new HashSet<>(seen);
      since = nowNanos;
      lasting = left;
    } else {
      left.retainAll(seen);
    }
    if (left.isEmpty()) {
      return State.SETTLED;
    }
    return nowNanos - since >= windowNanos ? State.LASTING : State.WAITING;
  }

  /** What was there at every look so far. */
  public Set<Difference> lasting() {
    Set<Difference> left = lasting;
    return left == null ? Set.of() : Set.copyOf(left);
  }
}
