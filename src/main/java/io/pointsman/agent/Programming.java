// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.verify.Verdict;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jboss.logging.Logger;

/** Brings the catalogue to the dataplanes that are in the kernel, and proves that it is there. */
final class Programming {
  private static final Logger LOG = Logger.getLogger(Programming.class);

  private final Kernel kernel;
  private final AgentMetrics metrics;
  private final BiConsumer<String, String> warnings;

  Programming(Kernel kernel, AgentMetrics metrics, BiConsumer<String, String> warnings) {
    this.kernel = kernel;
    this.metrics = metrics;
    this.warnings = warnings;
  }

  /** Whether any dataplane follows the catalogue. */
  boolean isOn() {
    return !followers().isEmpty();
  }

  private List<DataplaneInstance> followers() {
    return kernel.all().stream().filter(instance -> instance.programmer().programming()).toList();
  }

  /** Brings what has changed to the kernel; its events arrived at these times. */
  void flush(List<Long> arrivals) {
    for (DataplaneInstance instance : kernel.all()) {
      long started = System.nanoTime();
      SyncResult result = instance.flush();
      if (result != SyncResult.NONE) {
        long done = System.nanoTime();
        metrics.sync.record(done - started, TimeUnit.NANOSECONDS);
        arrivals.forEach(at -> metrics.programmingLatency.record(done - at, TimeUnit.NANOSECONDS));
        result.fallbacks().forEach(this::tellFallback);
      }
    }
  }

  /**
   * Goes on with what an earlier agent, or this one with other settings, left; whether there was.
   *
   * @param leaves whether only the stand-in is gone on with, because the others are given up
   */
  boolean adopt(boolean leaves) {
    boolean adopted = false;
    kernel.look(null);
    for (DataplaneInstance instance : kernel.all()) {
      boolean goesOn =
          kernel.isStandIn(instance)
              ? instance.phase() == Phase.ACTIVE
              : !leaves && goesOn(instance);
      if (!instance.programmer().programming() && goesOn) {
        SyncResult result = instance.prepare();
        LOG.infof(
            "Adopted %s: %d entries written, %d deleted",
            instance.kind(), result.written(), result.deleted());
        adopted = true;
      }
    }
    return adopted;
  }

  /** What the walk began on serves again, as it did before it was lost. */
  void restoreOrigin() {
    kernel
        .openOrigin()
        .ifPresent(
            origin -> {
              origin.prepare();
              origin.dataplane().activate();
              LOG.infof("Brought %s back, which is to serve until the next does", origin.kind());
            });
  }

  /** Whether the kernel shall follow: another dataplane than the target does until that serves. */
  private boolean goesOn(DataplaneInstance instance) {
    Phase phase = instance.phase();
    DataplaneInstance target = kernel.target().orElse(instance);
    if (instance != target) {
      return phase == Phase.ACTIVE && target.phase() != Phase.ACTIVE;
    }
    return phase == Phase.ACTIVE || phase == Phase.PREPARED;
  }

  /** Writes everything that differs, and reads back. */
  void repair() {
    for (DataplaneInstance instance : followers()) {
      instance.repair();
      instance.prove();
    }
  }

  /** Reads back, compares, mends what differs. */
  void verify() {
    for (DataplaneInstance instance : followers()) {
      Verdict verdict = instance.prove();
      if (!verdict.proven()) {
        tellMended(instance.prover().proven(), verdict);
      } else if (!instance.programmer().refused().isEmpty()) {
        instance.repair();
      }
      instance.dataplane().maintain();
    }
    kernel.told().ifPresent(instance -> metrics.kernelCounters(instance.dataplane().events()));
  }

  private void tellFallback(String sentence) {
    metrics.fallbacks.increment();
    LOG.warn(sentence);
    warnings.accept("WrittenInFull", sentence);
  }

  private void tellMended(boolean mended, Verdict verdict) {
    String sentence =
        (mended ? "Mended " : "Could not mend ")
            + verdict.mismatches()
            + " differences between the kernel and the cluster's Services, among them: "
            + verdict.samples().getFirst();
    LOG.warn(sentence);
    warnings.accept(mended ? "KernelRepaired" : "KernelNotProven", sentence);
  }
}
