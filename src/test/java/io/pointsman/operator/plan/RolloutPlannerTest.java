// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.OnFailure;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RolloutPlannerTest {
  private static final String ALL_CLEAN = "n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED";

  @Test
  void takesEveryNodeOverAndIsReady() {
    Scene scene = Scene.of("n1", "n2", "n3").settle();

    assertThat(scene.steps()).isEqualTo(ALL_CLEAN);
    assertThat(scene.pods).isEmpty();
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("KubeProxyDetached").reason()).isEqualTo("Detached");
    assertThat(scene.verdict("Reconciling").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.plan().report().current()).isEqualTo(LinuxDataplane.BPF);
    assertThat(scene.plan().report().message()).isEqualTo("3 of 3 nodes serve Services by BPF.");
    assertThat(scene.plan().actions()).isEmpty();
  }

  @Test
  void labelsComeBeforeTheSelectorAndTheSelectorBeforeTheFirstDetach() {
    Scene scene = Scene.of("n1", "n2").look();
    assertThat(scene.nodes.values()).allMatch(NodeView::labelled);
    assertThat(scene.selector).doesNotContainKey(Names.KUBE_PROXY_LABEL);

    scene.look();
    assertThat(scene.selector)
        .containsEntry(Names.KUBE_PROXY_LABEL, "on")
        .containsEntry("kubernetes.io/os", "linux");
    assertThat(scene.steps()).isEqualTo("n1=PREFLIGHT/ATTACHED n2=PREFLIGHT/ATTACHED");
  }

  @Test
  void canaryGoesFirstAndIsWatched() {
    Scene scene = Scene.of("n1", "n2", "n3");
    scene.dataplane("default").getSpec().rollout.maxUnavailable = 3;
    scene.dataplane("default").getSpec().rollout.canary.soakSeconds = 300;

    scene.settle();
    assertThat(scene.steps())
        .isEqualTo("n1=CLEAN/DETACHED n2=PREFLIGHT/ATTACHED n3=PREFLIGHT/ATTACHED");
    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.plan().report().message()).startsWith("Watching the canary nodes until ");
    assertThat(scene.verdict("Progressing").truth()).isEqualTo(Report.Truth.TRUE);

    scene.advance(Duration.ofSeconds(301)).look();
    assertThat(scene.begun()).containsExactly("n1", "n2", "n3");
  }

  @Test
  void withoutCanaryAsManyStartAsMayBeUnavailable() {
    Scene scene = Scene.of("n1", "n2", "n3");
    scene.dataplane("default").getSpec().rollout.canary.nodes = 0;
    scene.dataplane("default").getSpec().rollout.maxUnavailable = 2;

    assertThat(scene.look().agents().look().begun()).containsExactly("n1", "n2");
    assertThat(scene.look().look().begun()).hasSize(2);
  }

  @Test
  void aPauseHoldsEveryNodeBeforeItsNextStep() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.ACTIVATE);
    scene.edit(spec -> spec.rollout.paused = true);

    scene.advance(Duration.ofHours(2)).settle();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.verdict("Ready").reason()).isEqualTo("Paused");
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.FALSE);

    scene.edit(spec -> spec.rollout.paused = false).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void aStaleCatalogueHoldsTheDetachAndTheAgentIsAskedAgain() {
    Scene scene = Scene.of("n1").until("n1", Step.ACTIVATE).agents();
    scene.ruled("n1").getStatus().catalogueDigest = "stale";

    assertThat(scene.look().ruled("n1").getSpec().kubeProxy).isEqualTo(KubeProxyState.ATTACHED);
    assertThat(scene.ruled("n1").getSpec().attempt).isEqualTo(1);
    scene.advance(Duration.ofSeconds(31)).look();
    assertThat(scene.ruled("n1").getSpec().attempt).isEqualTo(2);
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED");
  }

  @Test
  void anAnswerToAnOlderSpecIsNoAnswer() {
    Scene scene = Scene.of("n1").until("n1", Step.PREPARE).agents();
    scene.ruled("n1").getStatus().observedGeneration = 1L;

    assertThat(scene.look().steps()).isEqualTo("n1=PREPARE/ATTACHED");
  }

  @Test
  void aNodeThatIsNotReadyIsNamedAndTheOthersGoOn() {
    Scene scene = Scene.of("n1", "n2", "n3").ready("n1", false).settle();

    assertThat(scene.steps()).isEqualTo("n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("Converged").reason()).isEqualTo("NodesNotReady");
    assertThat(scene.plan().report().message())
        .isEqualTo("2 of 3 nodes serve Services by BPF. Not now: n1 is NotReady.");
    assertThat(scene.ready("n1", true).settle().steps()).isEqualTo(ALL_CLEAN);
  }

  @Test
  void aNodeThatIsLostOnTheWayGivesItsPlaceBackAfterTheDeadline() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.PREPARE).ready("n1", false).settle();
    assertThat(scene.steps()).isEqualTo("n1=PREPARE/ATTACHED n2=PREFLIGHT/ATTACHED");

    scene.advance(Duration.ofSeconds(601)).settle();
    assertThat(scene.steps()).isEqualTo("n1=PREPARE/ATTACHED n2=CLEAN/DETACHED");

    scene.ready("n1", true).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
  }

  @Test
  void joiningNodesAreLabelledThenTakenOverAndGoneOnesForgotten() {
    Scene scene = Scene.of("n1", "n2").settle().node("n3");

    scene.look();
    assertThat(scene.view("n3").labelled()).isTrue();
    scene.settle();
    assertThat(scene.steps()).isEqualTo(ALL_CLEAN);
    scene.nodes.remove("n2");
    scene.look();
    assertThat(scene.ruled).containsOnlyKeys("n1", "n3");
    assertThat(scene.notices).anyMatch(notice -> notice.reason().equals("NodeForgotten"));
  }

  @Test
  void windowsNodesAreLeftAlone() {
    Scene scene = Scene.of("n1");
    scene.nodes.put("w1", new NodeView("w1", "uid", Map.of(), "windows", true, scene.now, false));

    scene.settle();
    assertThat(scene.ruled).containsOnlyKeys("n1");
    assertThat(scene.view("w1").labels()).isEmpty();
  }

  @Test
  void leavingNodesAreNotBegun() {
    Scene scene = Scene.of("n2");
    scene.nodes.put("n1", new NodeView("n1", "uid", Map.of(), "linux", true, scene.now, true));

    assertThat(scene.settle().ruled).containsOnlyKeys("n2");
  }

  @Test
  void anotherSchedulerGoesRoundNodeByNode() {
    Scene scene = Scene.of("n1", "n2", "n3").settle();
    scene.edit(spec -> spec.scheduler = Scheduler.RANDOM).look();

    assertThat(List.of("n1", "n2", "n3"))
        .map(node -> scene.ruled(node).getSpec().scheduler)
        .containsExactly(Scheduler.RANDOM, Scheduler.RR, Scheduler.RR);
    scene.settle();
    assertThat(scene.ruled.values()).allMatch(node -> node.getSpec().scheduler == Scheduler.RANDOM);
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void aSelectorThatTurnsAwayMidRolloutBringsItsNodesBack() {
    Scene scene = Scene.of("n1", "n2").label("n2", "pool", "b").until("n1", Step.ACTIVATE);
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "b")).settle();

    assertThat(scene.steps()).isEqualTo("n2=CLEAN/DETACHED");
    assertThat(scene.pods).containsOnlyKeys("n1");
  }

  @Test
  void withoutKubeProxyDetachAndAttachAreLeftOut() {
    Scene scene = Scene.of("n1").unmanaged().settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/null");
    assertThat(scene.verdict("KubeProxyDetached").truth()).isEqualTo(Report.Truth.UNKNOWN);
    assertThat(scene.view("n1").labels()).isEmpty();

    scene.delete("default").settle();
    assertThat(scene.plan().walkedBack()).isTrue();
  }

  @Test
  void aMissingDaemonSetStopsTheStartAndSaysWhatToDo() {
    Scene scene = Scene.of("n1");
    scene.selector = null;
    scene.settle();

    assertThat(scene.ruled).isEmpty();
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("KubeProxyDetached").message())
        .contains("kube-system/kube-proxy", "set spec.kubeProxy.management to Unmanaged");
  }

  @Test
  void aStolenSelectorIsNamedAndTheNodesAreCleanedAgain() {
    Scene scene = Scene.of("n1", "n2").settle();
    scene.select(null);
    scene.kubelets();

    assertThat(scene.verdict("KubeProxyDetached").reason()).isEqualTo("SelectorRemoved");
    assertThat(scene.verdict("KubeProxyDetached").message()).startsWith("Field manager some-tool");
    scene.settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.ruled.values())
        .as("each was asked for Clean once more")
        .allMatch(node -> node.getMetadata().getGeneration() >= 7);
    assertThat(scene.pods).isEmpty();
  }

  @Test
  void aSilentAgentIsNoticed() {
    Scene scene = Scene.of("n1", "n2").settle().advance(Duration.ofMinutes(16));

    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("Available").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.plan().report().message()).contains("has not reported for 15 minutes");
    scene.agents();
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
  }

  @Test
  void anAgentThatSeldomReadsBackIsNotSilent() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().verification.intervalSeconds = 3600;
    scene.settle().advance(Duration.ofMinutes(74));

    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
    scene.advance(Duration.ofMinutes(2));
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.plan().report().message()).contains("has not reported for 75 minutes");
  }

  @Test
  void flowsThatKubeProxyLeftAreNoDelayAtClean() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().rollout.onFailure = OnFailure.PAUSE;
    scene.dataplane("default").getSpec().rollout.drainSeconds = 900;
    scene.until("n1", Step.CLEAN).answer("n1", StepResult.IN_PROGRESS);
    scene.ruled("n1").getStatus().drainingFlows = 7L;

    scene.look().advance(Duration.ofSeconds(899)).look();
    assertThat(scene.plan().report().counts().failed()).as("600 s and 900 s to drain").isZero();
    scene.answer("n1", StepResult.IN_PROGRESS).advance(Duration.ofSeconds(590)).look();
    assertThat(scene.plan().report().counts().failed()).as("the rest is for Clean").isZero();
    assertThat(Standpoint.origin(scene.ruled("n1"))).isEmpty();
    scene.advance(Duration.ofSeconds(12)).look();
    assertThat(scene.plan().report().message()).contains("n1 ProgressDeadlineExceeded");

    scene.edit(spec -> spec.rollout.progressDeadlineSeconds = 700).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(scene.ruled("n1").getMetadata().getAnnotations()).doesNotContainKey(Names.REPLACES);
  }

  @Test
  void aNodeThatLosesItsProofIsProvenAgainOrFails() {
    Scene scene = Scene.of("n1").settle();
    scene.answer("n1", StepResult.DONE).ruled("n1").getStatus().proven = false;

    scene.look();
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.FALSE);
    scene.advance(Duration.ofSeconds(601)).look();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHING");
  }

  @Test
  void noNodesIsNotReady() {
    Scene scene = Scene.of("n1").edit(spec -> spec.nodeSelector = Map.of("pool", "none"));

    assertThat(scene.verdict("Ready").reason()).isEqualTo("NoNodes");
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.settle().ruled).isEmpty();
  }

  @Test
  void failuresHoldTheirPlaceUnderPause() {
    Scene scene = Scene.of("n1", "n2").edit(spec -> spec.rollout.onFailure = OnFailure.PAUSE);
    scene.until("n1", Step.ACTIVATE).answer("n1", StepResult.FAILED).look();

    String stopped = "n1=ACTIVATE/ATTACHED n2=PREFLIGHT/ATTACHED";
    assertThat(scene.steps()).isEqualTo(stopped);
    assertThat(scene.settle().steps()).isEqualTo(stopped);
    assertThat(scene.plan().report().counts().failed()).isEqualTo(1);
    scene.ruled("n1").getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);
    scene.settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }
}
