// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that a kube-proxy that starts takes no Service away (ADR 8): rules that it does not
 * know serve before the operator lets it come, and until its own do.
 */
final class StandIn {
  private static final Logger LOG = Logger.getLogger(StandIn.class);
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Kernel kernel;
  private final WalkState state;
  private final LongSupplier clock;

  StandIn(Kernel kernel, WalkState state, LongSupplier clock) {
    this.kernel = kernel;
    this.state = state;
    this.clock = clock;
  }

  /**
   * Works while kube-proxy is to come. Where it shares its names with the wanted dataplane, that is
   * all there is to do, and the answer is that the step is done.
   *
   * @return whether the walk goes on with the step that it is asked for
   */
  boolean letsGoOn(NodeDataplaneSpec spec, Step step, boolean synced) {
    if (!stands() && !make(spec, step, synced)) {
      return false;
    }
    if (Handover.handsOff(spec)) {
      state.tell(Progress.kubeProxyMayCome(step));
      return false;
    }
    return true;
  }

  /** Whether new flows are served whatever a kube-proxy deletes. */
  private boolean stands() {
    return kernel
        .standIn()
        .map(there -> there.phase() == Phase.ACTIVE && there.proven())
        .orElseGet(() -> !kernel.servedUnderSharedNames());
  }

  private boolean make(NodeDataplaneSpec spec, Step step, boolean synced) {
    if (!synced) {
      return state.await(
          step, "WaitingForCatalogue", "Services and EndpointSlices are being listed.");
    }
    if (state.waitingSince == null) {
      state.tell(
          Progress.under(
              step, "MakingStandIn", "Rules are written that serve while kube-proxy starts."));
    }
    String failure = failure(kernel.openStandIn(spec));
    if (failure != null) {
      return failed(step, failure);
    }
    state.waitingSince = null;
    handOverFlows();
    return true;
  }

  /** A kube-proxy that deletes virtual servers would end the connections that they have. */
  private void handOverFlows() {
    for (DataplaneInstance served : kernel.all()) {
      if (!kernel.isStandIn(served) && served.phase() == Phase.ACTIVE) {
        try {
          served.dataplane().handOverFlows();
        } catch (DataplaneException e) {
          LOG.warnf(
              e, "Flows of %s may end when kube-proxy starts: %s", served.kind(), e.getMessage());
        }
      }
    }
  }

  /** Writes all of it and reads it back; null, or what went wrong. */
  private static @Nullable String failure(DataplaneInstance standIn) {
    try {
      standIn.prepare();
      standIn.prove();
      if (!standIn.proven()) {
        Proof proof = Objects.requireNonNull(standIn.prover().last());
        return "They could not be mended. " + String.join(" ", proof.verdict().samples());
      }
      standIn.dataplane().activate();
      return null;
    } catch (DataplaneException e) {
      LOG.warnf(e, "The stand-in could not be made: %s", e.getMessage());
      return String.valueOf(e.getMessage());
    }
  }

  /** Once more for a while; then kube-proxy comes all the same, and this says what that costs. */
  private boolean failed(Step step, String failure) {
    long now = clock.getAsLong();
    if (state.waitingSince == null) {
      state.waitingSince = now;
    }
    if (now - state.waitingSince < PATIENCE_NANOS) {
      return state.await(step, "MakingStandIn", failure);
    }
    state.tell(
        Progress.failed(
            step,
            "StandInFailed",
            "No rules serve while kube-proxy starts, so connections may fail for a moment if it is"
                + " in another mode than the rules that it finds. "
                + failure));
    return false;
  }
}
