// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.verify.Verdict;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides when the status is written: at once when a verdict changes, every few seconds while a
 * switch is under way and anything changes, and otherwise only as a heartbeat, so that thousands of
 * nodes do not load the API server.
 */
final class Reporter {
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long SWITCHING_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long HEARTBEAT_SECONDS = 300;
  private static final long JITTER_SECONDS = 60;
  private static final int SENTENCE_LIMIT = 1_024;

  private final String version;
  private final Catalogue catalogue;
  private final Kernel kernel;
  private final Refusals refusals;
  private final Consumer<NodeDataplaneStatus> writer;
  private final LongSupplier clock;
  private @Nullable Report written;
  private long writtenAt;
  private long nextLook;
  private long nextHeartbeat;

  Reporter(
      String version,
      Catalogue catalogue,
      Kernel kernel,
      Consumer<NodeDataplaneStatus> writer,
      LongSupplier clock) {
    this.version = version;
    this.catalogue = catalogue;
    this.kernel = kernel;
    this.refusals = new Refusals(catalogue, kernel);
    this.writer = writer;
    this.clock = clock;
    this.nextLook = clock.getAsLong();
  }

  /** When {@link #report} wants to be called again. */
  long nextTurn() {
    return nextLook;
  }

  /** Looks whether there is something to tell, at most once a second unless it is urgent. */
  void report(WalkState state, boolean urgent) {
    long now = clock.getAsLong();
    if (state.spec == null) {
      written = null;
      nextLook = now + Inbox.forever();
      return;
    }
    if (!urgent && now < nextLook) {
      return;
    }
    nextLook = now + LOOK_NANOS;
    Report report = current(state);
    if (isDue(report, state, now)) {
      written = report;
      writtenAt = now;
      long jitter = ThreadLocalRandom.current().nextLong(2 * JITTER_SECONDS) - JITTER_SECONDS;
      nextHeartbeat = now + TimeUnit.SECONDS.toNanos(HEARTBEAT_SECONDS + jitter);
      writer.accept(report.status(version));
    }
  }

  private boolean isDue(Report report, WalkState state, long now) {
    if (written == null || now >= nextHeartbeat) {
      return true;
    }
    if (!report.verdict().equals(written.verdict())) {
      return true;
    }
    return isSwitching(state)
        && now - writtenAt >= SWITCHING_NANOS
        && !report.withoutTime().equals(written.withoutTime());
  }

  /** Whether the operator looks at this node now. */
  private static boolean isSwitching(WalkState state) {
    Step target = Objects.requireNonNull(state.spec).step;
    return !state.atTarget() || target == Step.PREPARE || target == Step.ACTIVATE;
  }

  private Report current(WalkState state) {
    Optional<DataplaneInstance> target = kernel.target();
    Proof proof = target.map(instance -> instance.prover().last()).orElse(null);
    Verdict mismatch = target.map(instance -> instance.prover().lastMismatch()).orElse(null);
    return new Report(
        state.generation,
        Objects.requireNonNull(state.spec).attempt,
        state.progress,
        state.findings,
        catalogue.digest(),
        proof,
        mismatch == null ? 0 : mismatch.mismatches(),
        mismatch == null ? List.of() : mismatch.samples().stream().map(Reporter::cut).toList(),
        refusals.first().stream().map(refusal -> cut(refusal.text())).toList(),
        state.drainingFlows,
        state.plan);
  }

  private static String cut(String sentence) {
    return sentence.length() > SENTENCE_LIMIT ? sentence.substring(0, SENTENCE_LIMIT) : sentence;
  }
}
