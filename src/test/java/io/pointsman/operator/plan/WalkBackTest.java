// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WalkBackTest {
  @ParameterizedTest
  @EnumSource(names = {"PREFLIGHT", "PREPARE", "ACTIVATE"})
  void aFailureBeforeDetachGoesBackAtOnceAndStopsTheRest(Step step) {
    Scene scene = Scene.of("n1", "n2").until("n1", step).answer("n1", StepResult.FAILED).look();

    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED n2=PREFLIGHT/ATTACHED");
    scene.settle();
    assertThat(scene.steps()).isEqualTo("n1=REMOVE/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.ruled("n1").getMetadata().getAnnotations())
        .containsEntry(Names.FAILED_GENERATION, "1");
    assertThat(scene.plan().report().counts()).isEqualTo(new Report.Counts(2, 0, 0, 1, 0));
    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("Available").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.plan().report().message())
        .contains("n1 ProbeFailed: no answer through 10.96.0.9", "Back on kube-proxy");
    assertThat(scene.notices).filteredOn(notice -> notice.reason().equals("NodeFailed")).hasSize(1);
  }

  @Test
  void aFailureAfterDetachBringsKubeProxyBackFirst() {
    Scene scene = Scene.of("n1").until("n1", Step.CLEAN).answer("n1", StepResult.FAILED).look();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHING");

    scene.look();
    assertThat(scene.view("n1").labelled()).isTrue();
    assertThat(scene.look().steps()).as("its pod is not Ready").isEqualTo("n1=ACTIVATE/ATTACHING");
    scene.pods.put("n1", PodState.PRESENT);
    assertThat(scene.look().steps()).isEqualTo("n1=ACTIVATE/ATTACHING");
    scene.pods.put("n1", PodState.READY);
    assertThat(scene.look().steps()).isEqualTo("n1=DRAIN/ATTACHED");
    assertThat(scene.settle().steps()).isEqualTo("n1=REMOVE/ATTACHED");
    assertThat(scene.pods).containsKey("n1");
  }

  @Test
  void aMissedDeadlineIsAFailure() {
    Scene scene = Scene.of("n1").until("n1", Step.PREPARE).advance(Duration.ofSeconds(601)).look();

    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED");
    assertThat(scene.ruled("n1").getMetadata().getAnnotations().get(Names.FAILURE))
        .isEqualTo(
            "ProgressDeadlineExceeded: not done within 600 s: its agent has not told of it"
                + " (step Prepare)");
  }

  @Test
  void aKubeProxyThatStaysIsNamed() {
    Scene scene = Scene.of("n1").until("n1", Step.ACTIVATE).answer("n1", StepResult.DONE).look();
    scene.pods.put("n1", PodState.PRESENT);
    scene.look().advance(Duration.ofSeconds(601)).look();

    assertThat(scene.ruled("n1").getMetadata().getAnnotations().get(Names.FAILURE))
        .isEqualTo(
            "ProgressDeadlineExceeded: not done within 600 s: waits for kube-proxy's pod to leave"
                + " (step Activate)");
    assertThat(scene.plan().report().message())
        .contains(
            "n1 waits for kube-proxy's pod to be Ready after ProgressDeadlineExceeded: not done");
  }

  @Test
  void takingTheAnnotationOffTriesAgain() {
    Scene scene = rolledBack();
    scene.ruled("n1").getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);
    scene.look();
    assertThat(scene.begun()).as("its agent is asked first").isEmpty();
    assertThat(scene.ruled("n1").getSpec().step).isEqualTo(Step.PREFLIGHT);
    assertThat(scene.ruled("n1").getSpec().attempt).isEqualTo(2);

    assertThat(scene.agents().look().begun()).containsExactly("n1");
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void anEditTriesAgain() {
    Scene scene = rolledBack().edit(spec -> spec.rollout.progressDeadlineSeconds = 700);

    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
  }

  @Test
  void aFailedWayBackIsTriedAgainAndSaid() {
    Scene scene = Scene.of("n1").until("n1", Step.ACTIVATE).delete("default");
    scene.until("n1", Step.DRAIN).answer("n1", StepResult.FAILED);

    assertThat(scene.plan().report().counts().failed()).isEqualTo(1);
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.look().ruled("n1").getSpec().attempt).isEqualTo(1);
    scene.advance(Duration.ofSeconds(31)).look();
    assertThat(scene.ruled("n1").getSpec().attempt).isEqualTo(2);
    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void deletionLeavesNothing() {
    Scene scene = Scene.of("n1", "n2", "n3").settle().delete("default");

    scene.look();
    assertThat(scene.steps())
        .as("one node at a time")
        .isEqualTo("n1=ACTIVATE/ATTACHING n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
    scene.settle();
    assertThat(scene.ruled).isEmpty();
    assertThat(scene.plan().walkedBack()).isTrue();
    assertThat(scene.pods).containsOnlyKeys("n1", "n2", "n3");
    assertThat(scene.selector).doesNotContainKey(Names.KUBE_PROXY_LABEL);
    assertThat(scene.nodes.values()).noneMatch(NodeView::labelled);
    assertThat(Handover.plan(scene.view()).done()).isTrue();
  }

  @Test
  void labelsStayUntilTheSelectorIsGone() {
    Scene scene = Scene.of("n1").settle().delete("default");
    scene.until("n1", Step.REMOVE).agents();
    scene.look();
    assertThat(scene.ruled).isEmpty();

    assertThat(scene.view("n1").labelled()).isTrue();
    scene.look();
    assertThat(scene.selector).doesNotContainKey(Names.KUBE_PROXY_LABEL);
    assertThat(scene.view("n1").labelled()).isTrue();
    scene.look();
    assertThat(scene.view("n1").labelled()).isFalse();
  }

  @Test
  void deletionOfAResourceMidRolloutTurnsRound() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.PREPARE).delete("default").settle();

    assertThat(scene.plan().walkedBack()).isTrue();
    assertThat(scene.pods).containsOnlyKeys("n1", "n2");
  }

  @Test
  void aDrainingNodeDoesNotHoldTheNextOne() {
    Scene scene = Scene.of("n1", "n2").settle().delete("default").until("n1", Step.DRAIN);
    scene.answer("n1", StepResult.IN_PROGRESS).ruled("n1").getStatus().drainingFlows = 7L;

    scene.look();
    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED n2=ACTIVATE/ATTACHING");
  }

  @Test
  void aNodeThatIsNotReadyHoldsTheDeletionOnlyForSoLong() {
    Scene scene = Scene.of("n1", "n2").settle().ready("n1", false).delete("default").settle();
    assertThat(scene.ruled).containsOnlyKeys("n1");
    assertThat(scene.plan().walkedBack()).isFalse();

    scene.advance(Duration.ofSeconds(601)).look();
    assertThat(scene.ruled).isEmpty();
    assertThat(scene.notices).anyMatch(notice -> notice.reason().equals("NodeAbandoned"));
    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void aNodeThatIsGoneDoesNotHoldTheDeletion() {
    Scene scene = Scene.of("n1", "n2").settle().delete("default");
    scene.nodes.remove("n1");

    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void anAgentThatNeverCameDoesNotHoldTheDeletion() {
    Scene scene = Scene.of("n1", "n2").look().advance(Duration.ofSeconds(601)).look();
    scene.advance(Duration.ofSeconds(601)).look();
    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.ruled("n1").getStatus()).isNull();

    scene.delete("default").look().look().look().look();
    assertThat(scene.plan().walkedBack()).isTrue();
    assertThat(Handover.plan(scene.view()).done()).isTrue();
  }

  @Test
  void aPauseDoesNotHoldTheDeletion() {
    Scene scene = Scene.of("n1").settle().edit(spec -> spec.rollout.paused = true);

    assertThat(scene.delete("default").settle().plan().walkedBack()).isTrue();
  }

  @Test
  void wantedAgainOnTheWayBackItGoesToTheEndFirst() {
    Scene scene = Scene.of("n1").label("n1", "pool", "a").settle();
    scene.edit(spec -> spec.nodeSelector.put("pool", "b")).until("n1", Step.DRAIN);
    scene.edit(spec -> spec.nodeSelector.put("pool", "a")).look();
    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED");

    scene.until("n1", Step.REMOVE).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
  }

  @Test
  void whileKubeProxyReturnsTheAgentIsNotAskedForClean() {
    Scene scene = Scene.of("n1").settle().delete("default").look();

    assertThat(scene.ruled("n1").getSpec().step).isEqualTo(Step.ACTIVATE);
    assertThat(scene.ruled("n1").getSpec().kubeProxy).isEqualTo(KubeProxyState.ATTACHING);
  }

  private static Scene rolledBack() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.PREPARE).answer("n1", StepResult.FAILED);
    scene.settle();
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
    assertThat(scene.notices).extracting(Notice::reason).containsOnlyOnce("NodeRolledBack");
    return scene;
  }

  @Test
  void aKubeletWhoseClockIsAheadGivesNoMoreTime() {
    Scene scene = Scene.of("n1").until("n1", Step.PREPARE);
    Instant ahead = scene.now.plusSeconds(7200);
    NodeView node = scene.view("n1");
    scene.nodes.put(
        "n1", new NodeView("n1", node.uid(), node.labels(), node.os(), true, ahead, false));
    scene.answer("n1", StepResult.IN_PROGRESS).advance(Duration.ofSeconds(602)).look();

    assertThat(scene.ruled("n1").getMetadata().getAnnotations().get(Names.FAILURE))
        .startsWith("ProgressDeadlineExceeded");
  }
}
