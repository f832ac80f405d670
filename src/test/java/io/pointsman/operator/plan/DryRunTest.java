// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.FlowCounts;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodePlan;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Severity;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.api.SwitchPlan;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DryRunTest {
  @Test
  void everyNodeIsLookedAtAtOnceAndNothingElseHappens() {
    Scene scene = dryRun("n1", "n2", "n3").settle();

    assertThat(scene.steps())
        .isEqualTo("n1=PREFLIGHT/ATTACHED n2=PREFLIGHT/ATTACHED n3=PREFLIGHT/ATTACHED");
    assertThat(scene.nodes.values()).allMatch(node -> node.labels().isEmpty());
    assertThat(scene.selector).doesNotContainKey(Names.KUBE_PROXY_LABEL);
    assertThat(scene.notices).isEmpty();
    assertThat(scene.advance(Duration.ofHours(3)).settle().plan().actions()).isEmpty();
    assertThat(scene.verdict("Ready").reason()).isEqualTo("DryRun");
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.plan().report().message()).startsWith("Dry run, nothing changes: ");
    NodePlan plan = plans(scene).getFirst();
    assertThat(plan.name).isEqualTo("n1");
    assertThat(plan.from).isEqualTo("kube-proxy");
    assertThat(plan.to).isEqualTo("BPF");
    assertThat(plan.steps).containsExactly("Preflight", "Prepare", "Activate", "Detach", "Clean");
    assertThat(plan.answered).isTrue();
    assertThat(plan.blocking).isZero();
  }

  @Test
  void theAgentsCountsAndFindingsAreShownAndBlockedNodesComeFirst() {
    Scene scene = dryRun("n1", "n2").settle();
    SwitchPlan counted = new SwitchPlan();
    counted.entriesToWrite = 12L;
    counted.flowsAtRisk = new FlowCounts();
    counted.flowsAtRisk.conntrack = 3L;
    scene.ruled("n1").getStatus().plan = counted;
    PreflightFinding finding = new PreflightFinding();
    finding.severity = Severity.BLOCKING;
    finding.reason = "KernelTooOld";
    finding.message = "This kernel is 5.4.";
    scene.answer("n2", StepResult.FAILED).ruled("n2").getStatus().preflight = List.of(finding);

    assertThat(plans(scene)).extracting(plan -> plan.name).containsExactly("n2", "n1");
    assertThat(plans(scene).getFirst().blocking).isEqualTo(1);
    assertThat(plans(scene).getFirst().message).isEqualTo("KernelTooOld: This kernel is 5.4.");
    assertThat(plans(scene).getLast().counted).isSameAs(counted);
    assertThat(scene.plan().report().message()).contains("n2 would be stopped by KernelTooOld");
    assertThat(scene.settle().steps()).as("no rollback").startsWith("n1=PREFLIGHT");
  }

  @Test
  void itsEndBeginsTheRolloutNodeByNode() {
    Scene scene = dryRun("n1", "n2").settle();
    scene.edit(spec -> spec.rollout.dryRun = false).look().look();

    assertThat(scene.ruled.values()).as("looked at anew").allMatch(Scene::waits);
    assertThat(scene.ruled.values()).allMatch(node -> node.getSpec().attempt == 1);
    assertThat(scene.agents().look().begun()).containsExactly("n1");
    assertThat(plans(scene)).isEmpty();
    scene.settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void itsDeletionLeavesNothing() {
    Scene scene = dryRun("n1", "n2").settle().delete("default").settle();

    assertThat(scene.plan().walkedBack()).isTrue();
    assertThat(Handover.plan(scene.view()).done()).isTrue();
  }

  @Test
  void aConvergedNodeKeepsItsDataplaneAndItsRollbackKnowsIt() {
    Scene scene = Scene.of("n1", "n2").settle();
    scene.edit(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPVS;
          spec.scheduler = Scheduler.WLC;
          spec.rollout.dryRun = true;
        });
    scene.settle().advance(Duration.ofHours(1)).settle();
    assertThat(scene.steps()).isEqualTo("n1=PREFLIGHT/DETACHED n2=PREFLIGHT/DETACHED");
    assertThat(plans(scene)).extracting(plan -> plan.from).containsOnly("BPF");
    assertThat(plans(scene).getFirst().steps)
        .containsExactly("Preflight", "Prepare", "Activate", "Clean");
    assertThat(scene.selector).containsKey(Names.KUBE_PROXY_LABEL);

    scene.edit(spec -> spec.rollout.dryRun = false).until("n1", Step.ACTIVATE);
    scene.answer("n1", StepResult.FAILED).settle();
    assertThat(scene.ruled("n1").getSpec().linuxDataplane).isEqualTo(LinuxDataplane.BPF);
    assertThat(scene.plan().report().counts().rolledBack()).isEqualTo(1);
  }

  @Test
  void backToWhatTheNodesHaveIsNoWalk() {
    Scene scene = Scene.of("n1", "n2").settle();
    scene.edit(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPTABLES;
          spec.rollout.dryRun = true;
        });
    scene.settle().edit(spec -> spec.linuxDataplane = LinuxDataplane.BPF).settle();

    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(plans(scene)).allMatch(plan -> plan.steps.isEmpty());
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void otherSettingsOfTheSameDataplaneAreOnlyShown() {
    Scene scene = Scene.of("n1").settle();
    scene.edit(
        spec -> {
          spec.scheduler = Scheduler.RANDOM;
          spec.rollout.dryRun = true;
        });
    scene.settle();

    assertThat(scene.ruled("n1").getSpec().scheduler).isEqualTo(Scheduler.RR);
    assertThat(plans(scene).getFirst().steps).containsExactly("Clean");
    assertThat(plans(scene).getFirst().answered).as("its agent was asked for others").isFalse();
    assertThat(scene.verdict("Ready").reason()).isEqualTo("DryRun");
  }

  @Test
  void aWalkThatHasBegunStaysWhereItIs() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.ACTIVATE);
    scene.edit(spec -> spec.rollout.dryRun = true).advance(Duration.ofHours(2)).settle();

    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(plans(scene).getFirst().steps).containsExactly("Activate", "Detach", "Clean");
    scene.edit(spec -> spec.rollout.dryRun = false).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void nodesThatAreAwayAreNamed() {
    Scene scene = dryRun("n1", "n2").ready("n1", false).settle();

    assertThat(scene.ruled).containsOnlyKeys("n2");
    assertThat(plans(scene).getFirst().message).isEqualTo("is NotReady");
  }

  private static Scene dryRun(String... nodes) {
    Scene scene = Scene.of(nodes);
    scene.dataplane("default").getSpec().rollout.dryRun = true;
    return scene;
  }

  private static List<NodePlan> plans(Scene scene) {
    return scene.plan().report().plan();
  }
}
