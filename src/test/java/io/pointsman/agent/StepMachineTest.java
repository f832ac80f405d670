// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.agent.Decision.Action;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class StepMachineTest {
  /** Letters of the facts column: what is true. */
  private static Facts facts(
      Step target, @Nullable KubeProxyState kubeProxy, Phase phase, String truths) {
    Set<Character> all = new HashSet<>();
    truths.chars().forEach(letter -> all.add((char) letter));
    return new Facts(
        target,
        kubeProxy,
        all.contains('s'),
        phase,
        all.contains('o'),
        !all.contains('o') && !all.contains('l'),
        all.contains('f'),
        all.contains('v'),
        all.contains('q'),
        all.contains('p'),
        all.contains('c'),
        all.contains('r'),
        all.contains('d'),
        all.contains('g'));
  }

  // s synced, f preflight passed, v proven, q kube-proxy is quiet, p probed, c cleaned,
  // r rules serve, d drained, g all is gone, o another dataplane of ours serves, l another leaves
  @ParameterizedTest(name = "{0} {1} {2} [{3}] -> {4} {5}")
  @CsvSource({
    "PREFLIGHT, ATTACHED,  ABSENT,   '',      PREFLIGHT, AWAIT_SYNC",
    "PREFLIGHT, ATTACHED,  ABSENT,   s,       PREFLIGHT, PREFLIGHT",
    "PREFLIGHT, ATTACHED,  ABSENT,   sf,      PREFLIGHT, DONE",
    "PREFLIGHT, DETACHED,  ACTIVE,   sv,      PREFLIGHT, PREFLIGHT",
    "PREPARE,   ATTACHED,  ABSENT,   s,       PREFLIGHT, PREFLIGHT",
    "PREPARE,   ATTACHED,  ABSENT,   f,       PREPARE,   AWAIT_SYNC",
    "PREPARE,   ATTACHED,  ABSENT,   sf,      PREPARE,   PREPARE",
    "PREPARE,   ATTACHED,  ABSENT,   sfv,     PREPARE,   PREPARE",
    "PREPARE,   ATTACHED,  PREPARED, sf,      PREPARE,   PREPARE",
    "PREPARE,   ATTACHED,  PREPARED, sfv,     PREPARE,   DONE",
    "PREPARE,   ATTACHED,  ACTIVE,   sv,      PREPARE,   DONE",
    "ACTIVATE,  ATTACHED,  PREPARED, sfv,     ACTIVATE,  ACTIVATE",
    "ACTIVATE,  ATTACHED,  DRAINING, sfv,     ACTIVATE,  ACTIVATE",
    "ACTIVATE,  ATTACHED,  DRAINING, sf,      PREPARE,   PREPARE",
    "ACTIVATE,  ATTACHED,  ACTIVE,   sfvq,    ACTIVATE,  PROBE",
    "ACTIVATE,  ATTACHED,  ACTIVE,   sfvp,    ACTIVATE,  DONE",
    "ACTIVATE,  ATTACHING, ACTIVE,   svpc,    ACTIVATE,  DONE",
    "CLEAN,     ATTACHED,  ACTIVE,   sfvp,    CLEAN,     AWAIT_DETACH",
    "CLEAN,     DETACHING, ACTIVE,   sfvp,    CLEAN,     AWAIT_DETACH",
    "CLEAN,     ATTACHING, ACTIVE,   sfvpc,   CLEAN,     AWAIT_DETACH",
    "CLEAN,     DETACHED,  ACTIVE,   sfvp,    CLEAN,     CLEAN",
    "CLEAN,     DETACHED,  ACTIVE,   sfvpc,   CLEAN,     DONE",
    "CLEAN,     ,          ACTIVE,   sfvp,    CLEAN,     CLEAN",
    "CLEAN,     DETACHED,  ABSENT,   s,       PREFLIGHT, PREFLIGHT",
    "CLEAN,     DETACHED,  ABSENT,   sfpc,    PREPARE,   PREPARE",
    "CLEAN,     DETACHED,  ACTIVE,   pc,      PREPARE,   AWAIT_SYNC",
    "CLEAN,     DETACHED,  ACTIVE,   spc,     PREPARE,   PREPARE"
  })
  void oneDecisionPerStateOnTheWayForward(
      Step target,
      @Nullable KubeProxyState kubeProxy,
      Phase phase,
      String truths,
      Step step,
      Action action) {
    assertThat(StepMachine.next(facts(target, kubeProxy, phase, truths)))
        .isEqualTo(new Decision(step, action));
  }

  @ParameterizedTest(name = "{0} {1} {2} [{3}] -> {4} {5}")
  @CsvSource({
    "PREPARE,   DETACHED,  ABSENT,   so,      PREFLIGHT, PREFLIGHT",
    "PREPARE,   DETACHED,  ABSENT,   sfo,     PREPARE,   PREPARE",
    "PREPARE,   DETACHED,  PREPARED, sfvo,    PREPARE,   DONE",
    "ACTIVATE,  DETACHED,  PREPARED, sfvo,    ACTIVATE,  ACTIVATE",
    "ACTIVATE,  DETACHED,  ACTIVE,   sfvpo,   ACTIVATE,  ACTIVATE",
    "ACTIVATE,  DETACHED,  ACTIVE,   sfv,     ACTIVATE,  SILENCE",
    "ACTIVATE,  DETACHED,  ACTIVE,   sfvl,    ACTIVATE,  SILENCE",
    "ACTIVATE,  DETACHED,  ACTIVE,   sfvql,   ACTIVATE,  PROBE",
    "ACTIVATE,  DETACHED,  ACTIVE,   sfvpl,   ACTIVATE,  DONE",
    "CLEAN,     DETACHED,  ACTIVE,   sfvpl,   CLEAN,     RETIRE",
    "CLEAN,     DETACHED,  ACTIVE,   sfvpcl,  CLEAN,     RETIRE",
    "CLEAN,     ATTACHED,  ACTIVE,   sfvpl,   CLEAN,     AWAIT_DETACH"
  })
  void oneDecisionPerStateBetweenDataplanesOfOurs(
      Step target,
      @Nullable KubeProxyState kubeProxy,
      Phase phase,
      String truths,
      Step step,
      Action action) {
    assertThat(StepMachine.next(facts(target, kubeProxy, phase, truths)))
        .isEqualTo(new Decision(step, action));
  }

  @ParameterizedTest(name = "{0} {1} {2} [{3}] -> {4} {5}")
  @CsvSource({
    "DRAIN,     ATTACHED,  ABSENT,   '',      DRAIN,     DONE",
    "DRAIN,     ATTACHED,  PREPARED, s,       DRAIN,     DONE",
    "DRAIN,     ATTACHED,  ACTIVE,   '',      DRAIN,     AWAIT_SYNC",
    "DRAIN,     ATTACHED,  ACTIVE,   s,       DRAIN,     CHECK_RULES",
    "DRAIN,     ATTACHED,  ACTIVE,   sr,      DRAIN,     DRAIN",
    "DRAIN,     ,          ACTIVE,   '',      DRAIN,     DRAIN",
    "DRAIN,     ATTACHED,  DRAINING, s,       DRAIN,     DRAIN",
    "DRAIN,     ATTACHED,  DRAINING, sd,      DRAIN,     DONE",
    "REMOVE,    ATTACHED,  ABSENT,   '',      REMOVE,    REMOVE",
    "REMOVE,    ATTACHED,  ABSENT,   g,       REMOVE,    DONE",
    "REMOVE,    ATTACHED,  PREPARED, g,       REMOVE,    REMOVE",
    "REMOVE,    ATTACHED,  PREPARED, '',      REMOVE,    REMOVE",
    "REMOVE,    ATTACHED,  ACTIVE,   s,       DRAIN,     CHECK_RULES",
    "REMOVE,    ATTACHED,  ACTIVE,   sr,      DRAIN,     DRAIN",
    "REMOVE,    ATTACHED,  DRAINING, s,       DRAIN,     DRAIN",
    "REMOVE,    ATTACHED,  DRAINING, sd,      REMOVE,    REMOVE"
  })
  void oneDecisionPerStateOnTheWayBack(
      Step target,
      @Nullable KubeProxyState kubeProxy,
      Phase phase,
      String truths,
      Step step,
      Action action) {
    assertThat(StepMachine.next(facts(target, kubeProxy, phase, truths)))
        .isEqualTo(new Decision(step, action));
  }

  @Test
  void nothingIsTakenAwayOnTheWayForwardAndNothingActivatedOnTheWayBack() {
    Set<Step> back = EnumSet.of(Step.DRAIN, Step.REMOVE);
    for (Step target : Step.values()) {
      for (Phase phase : Phase.values()) {
        for (int truths = 0; truths < 2048; truths++) {
          Facts facts =
              new Facts(
                  target,
                  KubeProxyState.ATTACHED,
                  (truths & 1) != 0,
                  phase,
                  (truths & 128) != 0,
                  (truths & 256) != 0,
                  (truths & 2) != 0,
                  (truths & 4) != 0,
                  (truths & 512) != 0,
                  (truths & 8) != 0,
                  (truths & 16) != 0,
                  (truths & 32) != 0,
                  (truths & 64) != 0,
                  (truths & 1024) != 0);
          Action action = StepMachine.next(facts).action();
          if (back.contains(target)) {
            assertThat(action)
                .isNotIn(Action.PREPARE, Action.ACTIVATE, Action.RETIRE, Action.CLEAN);
          } else {
            assertThat(action).isNotIn(Action.DRAIN, Action.REMOVE);
            // kube-proxy is still there, so nothing of it may be removed.
            assertThat(action).isNotEqualTo(Action.CLEAN);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Step.class)
  void doingWhatIsDecidedReachesTheTarget(Step target) {
    for (Phase start : Phase.values()) {
      reaches(facts(target, KubeProxyState.DETACHED, start, "s"), target);
      reaches(facts(target, KubeProxyState.DETACHED, start, "so"), target);
      reaches(facts(target, KubeProxyState.DETACHED, start, "sl"), target);
    }
  }

  private static void reaches(Facts start, Step target) {
    Facts facts = start;
    for (int turn = 0; turn < 12; turn++) {
      Decision decision = StepMachine.next(facts);
      if (decision.action() == Action.DONE) {
        break;
      }
      facts = after(facts, decision.action());
    }
    assertThat(StepMachine.next(facts)).isEqualTo(new Decision(target, Action.DONE));
  }

  private static Facts after(Facts f, Action action) {
    Phase phase =
        switch (action) {
          case PREPARE -> f.phase() == Phase.ABSENT ? Phase.PREPARED : f.phase();
          case ACTIVATE -> Phase.ACTIVE;
          case DRAIN -> Phase.DRAINING;
          case REMOVE -> Phase.ABSENT;
          case DONE, AWAIT_SYNC, AWAIT_DETACH, CHECK_RULES, PREFLIGHT -> f.phase();
          case SILENCE, PROBE, RETIRE, CLEAN -> f.phase();
        };
    return new Facts(
        f.target(),
        f.kubeProxy(),
        true,
        phase,
        f.othersServe() && action != Action.ACTIVATE,
        f.alone() || action == Action.RETIRE,
        f.preflightPassed() || action == Action.PREFLIGHT,
        f.proven() || action == Action.PREPARE,
        f.silenced() || action == Action.SILENCE,
        f.probed() || action == Action.PROBE,
        f.cleaned() || action == Action.CLEAN,
        f.rulesServe() || action == Action.CHECK_RULES,
        f.drained() || action == Action.DRAIN,
        f.gone() || action == Action.REMOVE);
  }
}
