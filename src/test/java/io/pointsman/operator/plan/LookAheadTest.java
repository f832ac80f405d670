// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.OnFailure;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LookAheadTest {
  @Test
  void everyNodeIsLookedAtBeforeTheFirstBegins() {
    Scene scene = Scene.of("n1", "n2", "n3").look().agents();
    scene.answer("n2", StepResult.IN_PROGRESS).look().advance(Duration.ofSeconds(300)).look();

    assertThat(scene.ruled).containsOnlyKeys("n1", "n2", "n3");
    assertThat(scene.begun()).isEmpty();
    assertThat(scene.notices).isEmpty();
    assertThat(scene.verdict("Ready").reason()).isEqualTo("Switching");
    assertThat(scene.plan().report().message())
        .isEqualTo(
            "Looking at n2 before the first node begins; 0 of 3 nodes serve Services by BPF.");
    assertThat(scene.agents().look().begun()).containsExactly("n1");
  }

  @Test
  void whatWouldStopNodesIsNamedOfAllAndNoneBegins() {
    Scene scene = Scene.of("n1", "n2", "n3").look().agents();
    scene.answer("n2", StepResult.FAILED).answer("n3", StepResult.FAILED).settle();

    assertThat(scene.steps())
        .isEqualTo("n1=PREFLIGHT/ATTACHED n2=REMOVE/ATTACHED n3=REMOVE/ATTACHED");
    assertThat(Scene.waits(scene.ruled("n1"))).isTrue();
    assertThat(scene.pods).containsOnlyKeys("n1", "n2", "n3");
    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
    assertThat(scene.plan().report().message())
        .contains("n2 ProbeFailed: no answer", "n3 ProbeFailed: no answer", "(step Preflight)");
    assertThat(scene.notices).filteredOn(notice -> notice.reason().equals("NodeFailed")).hasSize(2);

    scene.edit(spec -> spec.rollout.drainSeconds = 60).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
  }

  @Test
  void nodesThatFailedAreLookedAtAgainBeforeTheFirstBegins() {
    Scene scene = Scene.of("n1", "n2", "n3").look().agents();
    scene.answer("n2", StepResult.FAILED).answer("n3", StepResult.FAILED).settle();

    scene.edit(spec -> spec.rollout.drainSeconds = 60).look();
    assertThat(scene.plan().report().message()).startsWith("Looking at n1, n2, n3 before");
    scene.agents().answer("n3", StepResult.FAILED).settle();
    assertThat(scene.begun()).containsExactly("n3");
    assertThat(scene.steps())
        .isEqualTo("n1=PREFLIGHT/ATTACHED n2=PREFLIGHT/ATTACHED n3=REMOVE/ATTACHED");
  }

  @Test
  void nodesThatJoinMeanwhileAreNotWaitedFor() {
    Scene scene = Scene.of("n1").look().advance(Duration.ofSeconds(1)).node("n2").kubelets();
    assertThat(scene.look().plan().report().message()).startsWith("Looking at n1 before");

    scene.answer("n1", StepResult.DONE).look();
    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void underPauseANodeIsLookedAtAgainWhenItsAnnotationIsTakenOff() {
    Scene scene = Scene.of("n1", "n2");
    scene.dataplane("default").getSpec().rollout.onFailure = OnFailure.PAUSE;
    scene.look().agents().answer("n2", StepResult.FAILED).settle();
    assertThat(scene.steps()).isEqualTo("n1=PREFLIGHT/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.plan().report().counts().failed()).isEqualTo(1);
    assertThat(scene.begun()).isEmpty();

    scene.ruled("n2").getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);
    scene.look();
    assertThat(scene.begun()).as("its agent has not answered yet").isEmpty();
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void anAgentThatDoesNotAnswerIsWaitedForUntilTheDeadline() {
    Scene scene = Scene.of("n1", "n2").look().answer("n1", StepResult.DONE);
    scene.advance(Duration.ofSeconds(600)).look();
    assertThat(scene.begun()).isEmpty();
    assertThat(scene.plan().report().message()).startsWith("Looking at n2 before");

    scene.advance(Duration.ofSeconds(1)).look();
    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
  }

  @Test
  void anAgentThatStartsAnewWhileItsNodeWaitsIsNoFailure() {
    Scene scene = Scene.of("n1", "n2");
    scene.dataplane("default").getSpec().rollout.canary.soakSeconds = 900;
    scene.settle().advance(Duration.ofSeconds(700)).agents();
    scene.answer("n2", StepResult.IN_PROGRESS).look();
    assertThat(scene.begun()).containsExactly("n1");
    scene.advance(Duration.ofSeconds(200)).agents();

    assertThat(scene.notices).extracting(Notice::reason).doesNotContain("NodeFailed");
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void aNodeThatIsNotReadyIsNotWaitedFor() {
    Scene scene = Scene.of("n1", "n2").look().agents();
    scene.answer("n2", StepResult.IN_PROGRESS).ready("n2", false).look();
    assertThat(scene.begun()).containsExactly("n1");

    scene.settle().advance(Duration.ofSeconds(601)).ready("n2", true).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void whileARolloutIsUnderWayANodeThatJoinsHoldsNobodyUp() {
    Scene scene = Scene.of("n1", "n2").until("n1", Step.ACTIVATE).node("n3").kubelets().look();

    assertThat(scene.ruled).containsOnlyKeys("n1", "n2");
    assertThat(scene.settle().steps())
        .isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
  }

  @Test
  void nodesThatAWiderSelectorAddsAreLookedAtBeforeTheFirstOfThem() {
    Scene scene = Scene.of("n1", "n2", "n3").label("n1", "canary", "yes");
    scene.edit(spec -> spec.nodeSelector = Map.of("canary", "yes")).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");

    scene.edit(spec -> spec.nodeSelector = Map.of()).look().agents();
    scene.answer("n3", StepResult.FAILED).settle();
    assertThat(scene.steps())
        .isEqualTo("n1=CLEAN/DETACHED n2=PREFLIGHT/ATTACHED n3=REMOVE/ATTACHED");
    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
  }

  @Test
  void aPauseAsksNobodyAndItsEndEverybodyAnew() {
    Scene scene = Scene.of("n1", "n2").edit(spec -> spec.rollout.paused = true).settle();
    assertThat(scene.ruled).isEmpty();

    scene.edit(spec -> spec.rollout.paused = false).look();
    scene.edit(spec -> spec.rollout.paused = true).advance(Duration.ofHours(2)).settle();
    assertThat(scene.begun()).isEmpty();
    assertThat(scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);

    scene.edit(spec -> spec.rollout.paused = false).look().look();
    assertThat(scene.ruled.values()).allMatch(node -> node.getSpec().attempt == 1);
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }

  @Test
  void anotherDataplaneInTheMeantimeIsAskedForAnew() {
    Scene scene = Scene.of("n1", "n2").look().agents();
    scene.edit(spec -> spec.linuxDataplane = LinuxDataplane.IPTABLES).look();

    assertThat(scene.begun()).isEmpty();
    assertThat(scene.ruled.values())
        .allMatch(node -> node.getSpec().linuxDataplane == LinuxDataplane.IPTABLES);
    assertThat(scene.settle().plan().report().current()).isEqualTo(LinuxDataplane.IPTABLES);
  }

  @Test
  void itsDeletionLeavesNothing() {
    Scene scene = Scene.of("n1", "n2").look().agents().delete("default").settle();

    assertThat(scene.plan().walkedBack()).isTrue();
    assertThat(scene.pods).containsOnlyKeys("n1", "n2");
    assertThat(Handover.plan(scene.view()).done()).isTrue();
  }
}
