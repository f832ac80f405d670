// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.api.Toggle;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rollout's limits and failures where nodes go from one own dataplane to another. */
class OwnEdgeTest {
  private static final String ALL_CLEAN = "n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED";

  @Test
  void kubeProxyIsNeverAskedBack() {
    Scene scene = onBpf("n1", "n2", "n3").edit(spec -> spec.linuxDataplane = LinuxDataplane.IPVS);

    scene.look();
    assertThat(scene.steps())
        .isEqualTo("n1=PREFLIGHT/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
    assertThat(scene.verdict("KubeProxyDetached").reason()).isEqualTo("Detached");
    assertThat(scene.plan().report().current()).isNull();
    for (int round = 0; round < 40; round++) {
      scene.look().kubelets().agents().advance(Duration.ofSeconds(1));
      assertThat(scene.pods).isEmpty();
      assertThat(scene.nodes.values()).noneMatch(NodeView::labelled);
    }
    assertThat(scene.steps()).isEqualTo(ALL_CLEAN);
    assertThat(scene.plan().report().message()).isEqualTo("3 of 3 nodes serve Services by IPVS.");
  }

  @Test
  void aPauseHoldsTheNodeBetweenTheTwo() {
    Scene scene = toIpvs("n1", "n2").until("n1", Step.PREPARE);
    scene.edit(spec -> spec.rollout.paused = true).advance(Duration.ofHours(2)).settle();

    assertThat(scene.steps()).isEqualTo("n1=PREPARE/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.ruled("n2").getSpec().linuxDataplane).isEqualTo(LinuxDataplane.BPF);
    assertThat(scene.verdict("Ready").reason()).isEqualTo("Paused");
    scene.edit(spec -> spec.rollout.paused = false).settle();
    assertThat(scene.plan().report().current()).isEqualTo(LinuxDataplane.IPVS);
  }

  @Test
  void theCanaryIsWatchedOnTheNewDataplaneToo() {
    Scene scene = onBpf("n1", "n2", "n3");
    scene.edit(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPTABLES;
          spec.rollout.maxUnavailable = 3;
          spec.rollout.canary.soakSeconds = 300;
        });
    scene.settle();
    assertThat(dataplanes(scene))
        .containsExactly(LinuxDataplane.IPTABLES, LinuxDataplane.BPF, LinuxDataplane.BPF);
    assertThat(scene.plan().report().message()).startsWith("Watching the canary nodes until ");
    scene.advance(Duration.ofSeconds(301)).look();
    assertThat(dataplanes(scene)).containsOnly(LinuxDataplane.IPTABLES);
  }

  @Test
  void asManyAsMayBeUnavailableSwitch() {
    Scene scene = onBpf("n1", "n2", "n3");
    scene.edit(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPVS;
          spec.rollout.maxUnavailable = 2;
          spec.rollout.canary.nodes = 0;
        });
    scene.look().look();
    assertThat(dataplanes(scene))
        .containsExactly(LinuxDataplane.IPVS, LinuxDataplane.IPVS, LinuxDataplane.BPF);
  }

  @Test
  void aNodeThatOnlyDrainsDoesNotHoldTheNext() {
    Scene scene = toIpvs("n1", "n2").edit(spec -> spec.rollout.canary.nodes = 0);
    drainsAtClean(scene);

    scene.look();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=PREFLIGHT/DETACHED");
    assertThat(scene.plan().report().counts().switching()).isEqualTo(2);
  }

  @Test
  void drainingIsNoDelay() {
    Scene scene = toIpvs("n1");
    drainsAtClean(scene);

    scene.answer("n1", StepResult.IN_PROGRESS).advance(Duration.ofSeconds(700)).look();
    assertThat(scene.plan().report().counts().failed()).as("600 s and 300 s to drain").isZero();
    scene.advance(Duration.ofSeconds(201)).look();
    assertThat(scene.steps()).isEqualTo("n1=PREPARE/DETACHED");
    assertThat(annotation(scene, Names.FAILURE)).startsWith("ProgressDeadlineExceeded");
    assertThat(dataplanes(scene)).startsWith(LinuxDataplane.BPF);
  }

  @Test
  void withACanaryADrainingNodeIsStillWatched() {
    Scene scene = toIpvs("n1", "n2");
    drainsAtClean(scene);

    assertThat(scene.look().look().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(dataplanes(scene)).containsExactly(LinuxDataplane.IPVS, LinuxDataplane.BPF);
  }

  @Test
  void drainingCountsInADataplaneThatWasOnlyPassedThrough() {
    Scene scene = Scene.of("n1").until("n1", Step.CLEAN);
    scene.edit(spec -> spec.linuxDataplane = LinuxDataplane.IPVS).until("n1", Step.CLEAN);

    scene.answer("n1", StepResult.IN_PROGRESS).advance(Duration.ofSeconds(700)).look();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
    scene.advance(Duration.ofSeconds(300)).look();
    assertThat(scene.steps()).as("it began on kube-proxy").isEqualTo("n1=ACTIVATE/ATTACHING");
  }

  @Test
  void aRollbackThatFailsTooIsLoudAndTriedAgain() {
    Scene scene = toIpvs("n1", "n2").until("n1", Step.ACTIVATE);
    scene.answer("n1", StepResult.FAILED).look();
    assertThat(scene.steps()).isEqualTo("n1=PREPARE/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.plan().report().counts().switching()).isEqualTo(1);
    scene.answer("n1", StepResult.FAILED).look();

    long attempt = scene.ruled("n1").getSpec().attempt;
    for (int round = 1; round <= 50; round++) {
      scene.answer("n1", StepResult.FAILED).look().advance(Duration.ofMinutes(10)).look();
      scene.answer("n2", StepResult.DONE);
      assertThat(scene.plan().report().counts().failed()).isEqualTo(1);
      assertThat(scene.steps()).isEqualTo("n1=PREPARE/DETACHED n2=CLEAN/DETACHED");
      assertThat(scene.ruled("n1").getSpec().attempt).isEqualTo(attempt + round);
    }
    assertThat(scene.notices).extracting(Notice::reason).containsOnlyOnce("RollbackFailed");
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("Available").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.plan().report().message())
        .contains("n1 ProbeFailed: no answer", "cannot go back to BPF: ProbeFailed");
    assertThat(Standpoint.failure(scene.ruled("n1")).orElseThrow())
        .matches("ProbeFailed: .*; cannot go back: ProbeFailed: .*");

    scene.settle();
    assertThat(scene.plan().report().counts()).isEqualTo(new Report.Counts(2, 0, 0, 1, 0));
    assertThat(annotation(scene, Names.ROLLBACK_FAILURE)).isEmpty();
    assertThat(dataplanes(scene)).containsExactly(LinuxDataplane.BPF, LinuxDataplane.BPF);
  }

  @Test
  void aLateRollbackIsNamedAndStillEnds() {
    Scene scene = toIpvs("n1").until("n1", Step.ACTIVATE).answer("n1", StepResult.FAILED).look();
    scene.advance(Duration.ofSeconds(601)).look();
    assertThat(annotation(scene, Names.ROLLBACK_FAILURE)).startsWith("ProgressDeadlineExceeded");
    assertThat(scene.plan().report().counts().failed()).isEqualTo(1);

    scene.settle();
    assertThat(scene.plan().report().counts()).isEqualTo(new Report.Counts(1, 0, 0, 1, 0));
    assertThat(scene.ruled("n1").getMetadata().getAnnotations())
        .doesNotContainKey(Names.ROLLBACK_FAILURE);
  }

  @Test
  void anEditAfterARollbackTriesAgainInItsTurn() {
    Scene scene = rolledBack("n1", "n2");
    scene.edit(spec -> spec.rollout.progressDeadlineSeconds = 700).look();
    assertThat(scene.steps()).isEqualTo("n1=PREFLIGHT/DETACHED n2=CLEAN/DETACHED");

    assertThat(scene.settle().plan().report().current()).isEqualTo(LinuxDataplane.IPVS);
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
  }

  @Test
  void askingForWhatItIsBackOnIsAllThereIsToDo() {
    Scene scene = rolledBack("n1", "n2");
    long generation = scene.ruled("n1").getMetadata().getGeneration();
    scene.edit(spec -> spec.linuxDataplane = LinuxDataplane.BPF).settle();

    assertThat(scene.plan().report().current()).isEqualTo(LinuxDataplane.BPF);
    assertThat(scene.ruled("n1").getMetadata().getGeneration()).isEqualTo(generation);
    assertThat(scene.ruled("n1").getMetadata().getAnnotations())
        .doesNotContainKeys(Names.FAILED_GENERATION, Names.ORIGIN);
  }

  @Test
  void takingTheAnnotationOffTriesAgain() {
    Scene scene = rolledBack("n1", "n2");
    scene.ruled("n1").getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);

    assertThat(scene.settle().plan().report().current()).isEqualTo(LinuxDataplane.IPVS);
  }

  @Test
  void aRolledBackNodeThatLosesItsProofIsNamed() {
    Scene scene = rolledBack("n1", "n2");
    scene.answer("n1", StepResult.DONE).ruled("n1").getStatus().proven = false;
    scene.look();
    assertThat(scene.plan().report().counts().rolledBack()).isZero();
    scene.advance(Duration.ofSeconds(601)).look();

    assertThat(scene.plan().report().counts().failed()).isEqualTo(1);
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void deletionTakesARolledBackNodeToKubeProxy() {
    assertThat(rolledBack("n1", "n2").delete("default").settle().plan().walkedBack()).isTrue();
  }

  @Test
  void otherSettingsAreTakenUpInPlaceAndTakenBackInPlace() {
    Scene scene = onBpf("n1");
    NodeDataplaneSpec began = Target.copy(scene.ruled("n1").getSpec());
    scene.edit(spec -> spec.scheduler = Scheduler.RANDOM);
    scene.edit(spec -> spec.ipvs.excludeCIDRs = List.of("203.0.113.0/24")).look();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(scene.ruled("n1").getSpec().scheduler).isEqualTo(Scheduler.RANDOM);
    assertThat(scene.ruled("n1").getSpec().ipvs.excludeCIDRs).containsExactly("203.0.113.0/24");

    scene.answer("n1", StepResult.FAILED).look();
    assertThat(Target.same(scene.ruled("n1").getSpec(), began)).isTrue();
    scene.settle();
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
    assertThat(scene.plan().report().message()).contains("Back on BPF");
  }

  @Test
  void aProbeThatIsTurnedOnAndFailsIsTurnedOffAgain() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().verification.probe = Toggle.DISABLED;
    scene.settle().edit(spec -> spec.verification.probe = Toggle.ENABLED).look();
    assertThat(scene.ruled("n1").getSpec().probe).isNotNull();

    scene.answer("n1", StepResult.FAILED).settle();
    assertThat(scene.ruled("n1").getSpec().probe).isNull();
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
  }

  @Test
  void aStaleCatalogueHoldsBothEdges() {
    Scene scene = toIpvs("n1").until("n1", Step.ACTIVATE).agents();
    scene.ruled("n1").getStatus().catalogueDigest = "stale";
    assertThat(scene.look().steps()).isEqualTo("n1=ACTIVATE/DETACHED");

    Scene first = Scene.of("n1");
    first.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    first.look().look().agents();
    first.ruled("n1").getStatus().catalogueDigest = "stale";
    assertThat(first.look().steps()).isEqualTo("n1=PREFLIGHT/ATTACHED");
    assertThat(first.settle().steps()).isEqualTo("n1=CLEAN/DETACHED");
  }

  @Test
  void wantedAgainWhileKubeProxyReturnsItTurnsRound() {
    Scene scene = onBpf("n1").label("n1", "pool", "a");
    scene.edit(spec -> spec.nodeSelector.put("pool", "b")).look();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHING");
    scene.edit(spec -> spec.nodeSelector.put("pool", "a")).look();

    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/DETACHING");
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED");
  }

  @Test
  void withoutKubeProxyThereIsNothingToDetach() {
    Scene scene = Scene.of("n1").unmanaged();
    scene.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/null");
    scene.edit(spec -> spec.linuxDataplane = LinuxDataplane.BPF).until("n1", Step.PREPARE);
    scene.answer("n1", StepResult.FAILED).settle();

    assertThat(scene.steps()).isEqualTo("n1=CLEAN/null");
    assertThat(dataplanes(scene)).containsExactly(LinuxDataplane.IPTABLES);
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
  }

  private static Scene onBpf(String... nodes) {
    Scene scene = Scene.of(nodes).settle();
    assertThat(scene.plan().report().current()).isEqualTo(LinuxDataplane.BPF);
    return scene;
  }

  private static Scene toIpvs(String... nodes) {
    return onBpf(nodes).edit(spec -> spec.linuxDataplane = LinuxDataplane.IPVS);
  }

  private static Scene rolledBack(String... nodes) {
    Scene scene = toIpvs(nodes).until("n1", Step.ACTIVATE).answer("n1", StepResult.FAILED);
    scene.settle();
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
    return scene;
  }

  /** The first node serves by IPVS and waits for flows of BPF. */
  private static void drainsAtClean(Scene scene) {
    scene.look();
    for (int round = 0; round < 30 && scene.ruled("n1").getSpec().step != Step.CLEAN; round++) {
      scene.answer("n1", StepResult.DONE).look();
    }
    scene.answer("n1", StepResult.IN_PROGRESS).ruled("n1").getStatus().drainingFlows = 7L;
  }

  private static List<LinuxDataplane> dataplanes(Scene scene) {
    return scene.ruled.values().stream().map(node -> node.getSpec().linuxDataplane).toList();
  }

  private static String annotation(Scene scene, String name) {
    return scene.ruled("n1").getMetadata().getAnnotations().getOrDefault(name, "");
  }
}
