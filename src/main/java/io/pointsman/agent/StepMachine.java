// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.agent.Decision.Action;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;

/** The agent's side of the switch (ADR 2) as a pure function: from what is, to what comes next. */
final class StepMachine {
  private StepMachine() {}

  /** The next thing to do. */
  static Decision next(Facts facts) {
    return switch (facts.target()) {
      case PREFLIGHT -> preflight(facts);
      case PREPARE, ACTIVATE, CLEAN -> forward(facts);
      case DRAIN, REMOVE -> back(facts);
    };
  }

  private static Decision preflight(Facts facts) {
    if (facts.preflightPassed()) {
      return new Decision(Step.PREFLIGHT, Action.DONE);
    }
    return new Decision(Step.PREFLIGHT, facts.synced() ? Action.PREFLIGHT : Action.AWAIT_SYNC);
  }

  private static Decision forward(Facts facts) {
    if (facts.phase() == Phase.ABSENT && !facts.preflightPassed()) {
      return preflight(facts);
    }
    if (!facts.synced()) {
      return new Decision(Step.PREPARE, Action.AWAIT_SYNC);
    }
    if (facts.phase() == Phase.ABSENT || !facts.proven()) {
      return new Decision(Step.PREPARE, Action.PREPARE);
    }
    if (facts.target() == Step.PREPARE) {
      return new Decision(Step.PREPARE, Action.DONE);
    }
    if (facts.phase() != Phase.ACTIVE || facts.othersServe()) {
      return new Decision(Step.ACTIVATE, Action.ACTIVATE);
    }
    if (!facts.probed()) {
      return new Decision(Step.ACTIVATE, facts.silenced() ? Action.PROBE : Action.SILENCE);
    }
    if (facts.target() == Step.ACTIVATE) {
      return new Decision(Step.ACTIVATE, Action.DONE);
    }
    return clean(facts);
  }

  private static Decision clean(Facts facts) {
    if (facts.kubeProxy() != null && facts.kubeProxy() != KubeProxyState.DETACHED) {
      return new Decision(Step.CLEAN, Action.AWAIT_DETACH);
    }
    if (!facts.alone()) {
      return new Decision(Step.CLEAN, Action.RETIRE);
    }
    return new Decision(Step.CLEAN, facts.cleaned() ? Action.DONE : Action.CLEAN);
  }

  private static Decision back(Facts facts) {
    return switch (facts.phase()) {
      case ABSENT ->
          facts.target() == Step.DRAIN || facts.gone()
              ? new Decision(facts.target(), Action.DONE)
              : new Decision(Step.REMOVE, Action.REMOVE);
      // It never took traffic, so there is nothing to wait for.
      case PREPARED -> drained(facts);
      case ACTIVE -> leave(facts);
      case DRAINING -> facts.drained() ? drained(facts) : new Decision(Step.DRAIN, Action.DRAIN);
    };
  }

  private static Decision leave(Facts facts) {
    if (facts.kubeProxy() == null || facts.rulesServe()) {
      return new Decision(Step.DRAIN, Action.DRAIN);
    }
    return new Decision(Step.DRAIN, facts.synced() ? Action.CHECK_RULES : Action.AWAIT_SYNC);
  }

  private static Decision drained(Facts facts) {
    return facts.target() == Step.DRAIN
        ? new Decision(Step.DRAIN, Action.DONE)
        : new Decision(Step.REMOVE, Action.REMOVE);
  }
}
