// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that owns catalogue, dataplane and walk. A turn takes everything that has come,
 * brings it to the kernel, walks on, proves when it is time, and reports. Nothing waits for a fixed
 * time before it is done.
 */
final class SyncThread implements Runnable {
  private static final Logger LOG = Logger.getLogger(SyncThread.class);
  private static final long VERIFY_SECONDS = 30;
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long MAX_RETRY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Inbox inbox;
  private final Catalogue catalogue;
  private final Kernel kernel;
  private final Programming programming;
  private final Chores chores;
  private final CatalogueFeed feed;
  private final Walk walk;
  private final Reporter reporter;
  private final Refusals refusals;
  private final AgentMetrics metrics;
  private final AgentHealth health;
  private final Function<List<String>, Set<Address>> addresses;
  private final BiConsumer<String, String> warnings;
  private final HeapCare heap = HeapCare.ofThisJvm();
  private boolean targetKnown;
  private boolean synced;
  private boolean broken;
  private boolean recovered;
  private long retryNanos = RETRY_NANOS;
  private long nextRetry;
  private long nextVerification;
  private volatile boolean stopping;

  /**
   * Puts the parts together.
   *
   * @param addresses the node's addresses in the given ranges
   * @param warnings receives reason and sentence of what a person should know
   */
  SyncThread(
      Parts parts,
      AgentHealth health,
      Function<List<String>, Set<Address>> addresses,
      BiConsumer<String, String> warnings) {
    this.inbox = parts.inbox();
    this.catalogue = parts.catalogue();
    this.kernel = parts.kernel();
    this.metrics = parts.metrics();
    this.reporter = parts.reporter();
    this.refusals = new Refusals(catalogue, kernel);
    this.programming = new Programming(kernel, metrics, warnings);
    this.chores = parts.chores();
    this.feed = new CatalogueFeed(catalogue, kernel::note);
    this.walk = new Walk(catalogue, kernel, chores, System::nanoTime, this::reportProgress);
    this.health = health;
    this.addresses = addresses;
    this.warnings = warnings;
    long now = System.nanoTime();
    this.nextRetry = now;
    this.nextVerification = now;
  }

  /** What the thread works with. */
  record Parts(
      Inbox inbox,
      Catalogue catalogue,
      Kernel kernel,
      AgentMetrics metrics,
      Reporter reporter,
      Chores chores) {}

  private void reportProgress() {
    Progress progress = walk.state().progress;
    if (progress != null) {
      LOG.infof(
          "%s %s: %s %s",
          progress.step(), progress.result(), progress.reason(), progress.message());
    }
    reporter.report(walk.state(), true);
  }

  /** Ends after the turn that is under way. */
  void stop() {
    stopping = true;
    inbox.post(() -> LOG.debug("Stopping"));
  }

  @Override
  public void run() {
    while (!stopping) {
      try {
        health.beat();
        turn(inbox.take(Math.max(0, nextTurn() - System.nanoTime())));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private long nextTurn() {
    long now = System.nanoTime();
    long next = now + TimeUnit.SECONDS.toNanos(VERIFY_SECONDS);
    next = earlier(next, walk.nextTurn());
    next = earlier(next, reporter.nextTurn());
    if (broken) {
      next = earlier(next, nextRetry);
    }
    // What the kernel refuses is read back when it is tried again, not before.
    return programming.isOn() && !broken ? earlier(next, nextVerification) : next;
  }

  private static long earlier(long one, long other) {
    return one - other < 0 ? one : other;
  }

  private void turn(Inbox.Batch batch) {
    List<Long> arrivals = feed.accept(batch);
    batch.messages().forEach(this::attempt);
    if (!recovered && mayTry()) {
      attempt(this::recover);
    }
    if (!synced && feed.synced() && targetKnown) {
      synced = true;
      LOG.infof("Synced: %d Service ports, digest %s", catalogue.portCount(), catalogue.digest());
      walk.hurry();
    }
    metrics.servicePorts.set(catalogue.portCount());
    guarded(() -> programming.flush(arrivals));
    if (synced) {
      guarded(this::adopt);
    }
    advance();
    if (programming.isOn() && System.nanoTime() - nextVerification >= 0) {
      guarded(this::verify);
    }
    metrics.refusals(refusals);
    metrics.show(kernel.told().map(instance -> instance.prover().last()).orElse(null));
    reporter.report(walk.state(), false);
    tellHealth();
    heap.tend();
  }

  private void recover() {
    chores.recover();
    recovered = true;
  }

  /** Whether the kernel refused nothing, or not lately. */
  private boolean mayTry() {
    return !broken || System.nanoTime() - nextRetry >= 0;
  }

  /** Works unless the kernel refused lately; after a refusal everything is gone through first. */
  private void guarded(Runnable work) {
    if (!broken) {
      attempt(work);
    } else if (mayTry()) {
      attempt(
          () -> {
            programming.repair();
            work.run();
            broken = false;
            retryNanos = RETRY_NANOS;
          });
    }
  }

  /** What the kernel does not take is tried again, with growing patience. */
  private void attempt(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      metrics.failures.increment();
      kernel.all().forEach(instance -> instance.prover().forget());
      broken = true;
      nextRetry = System.nanoTime() + retryNanos;
      retryNanos = Math.min(MAX_RETRY_NANOS, retryNanos * 2);
      LOG.errorf(e, "The kernel did not take it, it is tried again: %s", e.getMessage());
      warnings.accept("DataplaneFailed", String.valueOf(e.getMessage()));
    }
  }

  private void adopt() {
    boolean adopted = programming.adopt(leaves());
    if (walk.lostOrigin()) {
      programming.restoreOrigin();
      adopted = true;
    }
    if (adopted) {
      verify();
    }
  }

  private boolean leaves() {
    NodeDataplaneSpec spec = walk.state().spec;
    return spec != null
        && (Handover.handsOff(spec)
            || (spec.step == Step.DRAIN || spec.step == Step.REMOVE)
                && kernel.phase() != Phase.ACTIVE);
  }

  private void advance() {
    try {
      walk.advance(synced);
    } catch (RuntimeException e) {
      LOG.errorf(e, "The step failed: %s", e.getMessage());
      metrics.failures.increment();
      walk.fail(e);
    }
  }

  private void verify() {
    NodeDataplaneSpec spec = walk.state().spec;
    long seconds = spec == null ? VERIFY_SECONDS : spec.verification.intervalSeconds;
    nextVerification = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    refreshAddresses();
    programming.verify();
    reporter.report(walk.state(), true);
  }

  /** The node's addresses may have changed; on the sync thread. */
  void refreshAddresses() {
    kernel.nodePortAddresses(walk.state().spec, addresses);
  }

  /** The node's resource is this, or (null) there is none; on the sync thread. */
  void target(@Nullable NodeDataplane resource) {
    boolean first = !targetKnown;
    targetKnown = true;
    if (resource == null && (first || walk.state().spec != null)) {
      LOG.warn("This node has no NodeDataplane: the kernel stays as it is until the operator asks");
    }
    try {
      if (resource != null) {
        kernel.origin(WalkOrigin.of(resource));
        // First, so that what is in the kernel is opened once, and as it shall be.
        kernel.use(resource.getSpec());
        if (Handover.handsOff(resource.getSpec())) {
          kernel.target().ifPresent(target -> target.programmer().stop());
        }
      }
      kernel.look(resource == null ? null : resource.getSpec());
      walk.ask(resource, kernel.target().map(DataplaneInstance::phase).orElse(Phase.ABSENT));
      refreshAddresses();
    } catch (DataplaneException | IllegalArgumentException e) {
      walk.ask(resource, Phase.ABSENT);
      walk.fail(String.valueOf(e.getMessage()));
    }
  }

  private boolean proven(@Nullable NodeDataplaneSpec spec) {
    return (spec != null && Handover.handsOff(spec))
        || kernel.target().map(target -> target.prover().proven()).orElse(false);
  }

  private void tellHealth() {
    NodeDataplaneSpec spec = walk.state().spec;
    Step step = spec == null ? null : spec.step;
    boolean mustBeProven = step == Step.PREPARE || step == Step.ACTIVATE || step == Step.CLEAN;
    if (!synced) {
      health.ready(false, "Services, EndpointSlices and this node's resource are being listed.");
    } else if (mustBeProven && !proven(spec)) {
      Proof proof = kernel.target().map(target -> target.prover().last()).orElse(null);
      health.ready(
          false,
          proof == null
              ? "The kernel has not been proven yet."
              : "The kernel differs: " + String.join(" ", proof.verdict().samples()));
    } else {
      String progress = Objects.toString(walk.state().progress, "no NodeDataplane");
      health.ready(true, "Digest " + catalogue.digest() + ", " + progress);
    }
  }
}
