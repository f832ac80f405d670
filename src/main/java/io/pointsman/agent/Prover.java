// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.verify.Verdict;
import io.pointsman.verify.Verifier;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads the kernel back, compares, mends what differs and reads again. */
final class Prover {
  private final AgentMetrics metrics;
  private @Nullable Proof last;
  private @Nullable Verdict lastMismatch;

  Prover(AgentMetrics metrics) {
    this.metrics = metrics;
  }

  /** What the last read-back showed; null before the first. */
  @Nullable Proof last() {
    return last;
  }

  /** The last comparison that found something; null when none ever did. */
  @Nullable Verdict lastMismatch() {
    return lastMismatch;
  }

  boolean proven() {
    return last != null && last.proven();
  }

  /** What is known of the kernel is no longer true. */
  void forget() {
    last = null;
  }

  /**
   * Proves the kernel, mending it once when it is wrong.
   *
   * @return what was wrong at first; {@link Verdict#PROVEN} when nothing was
   */
  Verdict prove(Dataplane dataplane, Programmer programmer) {
    Verdict first = readBack(dataplane, programmer);
    if (first.proven()) {
      return first;
    }
    lastMismatch = first;
    metrics.mismatches.increment(first.mismatches());
    SyncResult mended = programmer.repair(dataplane);
    metrics.repairs.increment((double) mended.written() + mended.deleted());
    readBack(dataplane, programmer);
    return first;
  }

  private Verdict readBack(Dataplane dataplane, Programmer programmer) {
    long started = System.nanoTime();
    DesiredState desired = programmer.desired();
    KernelState kernel = dataplane.read();
    Verdict verdict = Verifier.verify(desired, kernel);
    metrics.verification.record(System.nanoTime() - started, TimeUnit.NANOSECONDS);
    last =
        new Proof(
            verdict,
            desired.digest(),
            kernel.digest(),
            kernel.frontendCount(),
            kernel.backendCount(),
            kernel.settings(),
            Instant.now());
    return verdict;
  }
}
