// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.PreflightException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Walks the node as far as the operator lets it, one step of {@link StepMachine} after another. */
final class Walk {
  private final Kernel kernel;
  private final LongSupplier clock;
  private final WalkState state;
  private final WalkSteps steps;
  private final StandIn standIn;

  Walk(Catalogue catalogue, Kernel kernel, Chores chores, LongSupplier clock, Runnable onProgress) {
    this.kernel = kernel;
    this.clock = clock;
    this.state = new WalkState(onProgress, clock);
    this.steps = new WalkSteps(catalogue, kernel, chores, clock, state);
    this.standIn = new StandIn(kernel, state, clock);
  }

  WalkState state() {
    return state;
  }

  /** When {@link #advance} has something to do again if nothing else happens. */
  long nextTurn() {
    boolean waiting = state.spec != null && !state.atTarget() && state.chore == null;
    return waiting && !failed() ? state.notBefore : clock.getAsLong() + Inbox.forever();
  }

  private boolean failed() {
    return state.progress != null && state.progress.isFailed();
  }

  /** Does whatever can be done now. */
  void advance(boolean synced) {
    NodeDataplaneSpec spec = state.spec;
    if (spec == null || failed() || state.chore != null || clock.getAsLong() < state.notBefore) {
      return;
    }
    DataplaneInstance target = kernel.target().orElse(null);
    if (target == null || spec.step == null) {
      state.tell(
          Progress.failed(
              Step.PREFLIGHT,
              "DataplaneNotBuilt",
              "This agent has no dataplane "
                  + spec.linuxDataplane
                  + ": ask for one of "
                  + kernel.names()
                  + "."));
      return;
    }
    boolean more = true;
    while (more && !failed() && state.chore == null) {
      if (spec.kubeProxy == KubeProxyState.ATTACHING
          && !standIn.letsGoOn(spec, spec.step, synced)) {
        return;
      }
      if (state.atTarget() && stillHolds(spec, spec.step, target)) {
        return;
      }
      Decision decision = StepMachine.next(facts(spec, spec.step, target, synced));
      more = steps.perform(decision, spec, target);
    }
  }

  /** Whether the kernel is still where a reached target left it: a reboot or a hand may differ. */
  private boolean stillHolds(NodeDataplaneSpec spec, Step step, DataplaneInstance target) {
    return switch (step) {
      case PREFLIGHT -> true;
      case PREPARE -> target.phase() != Phase.ABSENT;
      case ACTIVATE -> target.phase() == Phase.ACTIVE && !kernel.othersServe(spec);
      case CLEAN -> target.phase() == Phase.ACTIVE && kernel.others().isEmpty();
      case DRAIN -> kernel.phase() != Phase.ACTIVE;
      case REMOVE -> kernel.phase() == Phase.ABSENT;
    };
  }

  /**
   * Whether the node was rebooted while it is to be served by what its walk began on: a dry run, a
   * pause or a failure may keep it there for long.
   */
  boolean lostOrigin() {
    NodeDataplaneSpec spec = state.spec;
    return spec != null
        && (spec.step == Step.PREFLIGHT || spec.step == Step.PREPARE)
        && Handover.alone(spec)
        && kernel.hasOrigin()
        && kernel.phase() != Phase.ACTIVE;
  }

  private Facts facts(NodeDataplaneSpec spec, Step step, DataplaneInstance target, boolean synced) {
    boolean back = step == Step.DRAIN || step == Step.REMOVE;
    return new Facts(
        step,
        spec.kubeProxy,
        synced,
        back ? kernel.phase() : target.phase(),
        kernel.othersServe(spec),
        state.alone && kernel.others().isEmpty(),
        state.preflightPassed,
        target.proven() || Handover.handsOff(spec),
        state.silenced || !Handover.sharesChains(target.kind()) || Handover.handsOff(spec),
        state.probed,
        state.cleaned,
        state.rulesServe,
        state.drained,
        state.gone);
  }

  /** The operator asks for this, or (null) for nothing any more. */
  void ask(@Nullable NodeDataplane resource, Phase phase) {
    if (resource == null) {
      state.clear();
    } else if (state.ask(resource, phase, () -> kernel.phase() == Phase.ACTIVE)) {
      state.waitingSince = null;
      hurry();
    }
  }

  /** Something has changed that may be waited for. */
  void hurry() {
    state.notBefore = clock.getAsLong();
  }

  /** A step failed by an exception of the dataplane. */
  void fail(RuntimeException e) {
    if (e instanceof PreflightException found) {
      fail(found.reason(), String.valueOf(e.getMessage()));
    } else {
      fail(String.valueOf(e.getMessage()));
    }
  }

  /** A step failed by what the dataplane does not have. */
  void fail(String message) {
    fail("DataplaneFailed", message);
  }

  private void fail(String reason, String message) {
    Step step = state.progress == null ? Step.PREFLIGHT : state.progress.step();
    state.tell(Progress.failed(step, reason, message));
  }
}
