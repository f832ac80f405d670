// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.pointsman.catalogue.Digest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** Remembers the digests of the last minute, because events reach nodes at different times. */
final class DigestHistory {
  static final Duration MEMORY = Duration.ofSeconds(60);

  private final Deque<Past> past = new ArrayDeque<>();
  private Digest current = Digest.EMPTY;

  private record Past(Digest digest, Instant until) {}

  /** The digest is this from now on. */
  void change(Digest digest, Instant now) {
    if (!digest.equals(current)) {
      past.addLast(new Past(current, now));
      current = digest;
      forget(now);
    }
  }

  /** Starts anew: what was before was no whole catalogue. */
  void restart(Digest digest) {
    past.clear();
    current = digest;
  }

  String current() {
    return current.toString();
  }

  Set<String> recent(Instant now) {
    forget(now);
    Set<String> digests = new HashSet<>();
    past.forEach(entry -> digests.add(entry.digest().toString()));
    digests.add(current.toString());
    return digests;
  }

  private void forget(Instant now) {
    Instant from = now.minus(MEMORY);
    while (!past.isEmpty() && past.getFirst().until().isBefore(from)) {
      past.removeFirst();
    }
  }
}
