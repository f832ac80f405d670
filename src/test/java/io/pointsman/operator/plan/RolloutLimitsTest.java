// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What holds a rollout up, and what does not: canary nodes, deadlines, failures. */
class RolloutLimitsTest {
  @Test
  void aCanaryThatIsNotReadyHasNotBeenWatched() {
    Scene scene = Scene.of("n1", "n2");
    scene.dataplane("default").getSpec().rollout.canary.soakSeconds = 300;
    scene.settle().ready("n1", false).agents().advance(Duration.ofMinutes(10)).look();

    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.plan().report().message())
        .isEqualTo(
            "Waiting until the canary nodes are Ready and have been watched; "
                + "1 of 2 nodes serve Services by BPF. Not now: n1 is NotReady.");

    scene.ready("n1", true).agents().advance(Duration.ofSeconds(299)).look();
    assertThat(scene.begun()).as("watched from when it was Ready again").containsExactly("n1");
    assertThat(scene.plan().report().message()).startsWith("Watching the canary nodes until ");
    scene.advance(Duration.ofSeconds(1)).look();
    assertThat(scene.begun()).containsExactly("n1", "n2");
  }

  @Test
  void aConvergedNodeThatIsNotReadyIsNamed() {
    Scene scene = Scene.of("n1", "n2").settle().ready("n1", false);

    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.plan().report().message())
        .isEqualTo("2 of 2 nodes serve Services by BPF. Not now: n1 is NotReady.");
  }

  /** Nobody looked while it got there: the operator or the whole control plane was away. */
  @Test
  void aNodeThatHasArrivedIsNotLate() {
    Scene scene = Scene.of("n1").until("n1", Step.CLEAN).kubelets().agents();
    scene.advance(Duration.ofHours(1)).look().agents();

    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.notices).noneMatch(notice -> notice.reason().equals("NodeFailed"));
  }

  /** Its resource was refused because of another one, which was put right later. */
  @Test
  void aNodeThatWasHeldBackIsNotLate() {
    Scene scene = Scene.of("n1").label("n1", "pool", "b");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.dataplane("younger", spec -> spec.nodeSelector = Map.of("pool", "b"));
    scene.until("n1", Step.ACTIVATE);

    scene.edit(spec -> spec.nodeSelector = Map.of("zone", "a")).look();
    assertThat(scene.verdict("younger", "Accepted").reason()).isEqualTo("Overlap");
    for (int minute = 0; minute < 109; minute++) {
      scene.advance(Duration.ofMinutes(1)).look();
    }
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.advance(Duration.ofMinutes(8)).look();
    assertThat(scene.ruled("n1").getSpec().kubeProxy).isNotEqualTo(KubeProxyState.ATTACHING);
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(scene.notices).noneMatch(notice -> notice.reason().equals("NodeFailed"));
  }

  @Test
  void aNodeWhoseAgentIsSilentStopsTheRollout() {
    Scene scene = Scene.of("n1").settle().advance(Duration.ofMinutes(16)).node("n2").node("n3");
    scene.dataplane("default").getSpec().rollout.maxUnavailable = 3;
    scene.look();

    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
    assertThat(scene.plan().report().message())
        .isEqualTo(
            "Stopped: n1 its agent has not reported for 15 minutes. Remove the cause, and it goes"
                + " on; 0 of 3 nodes serve Services by BPF.");
    assertThat(scene.begun()).containsExactly("n1");
    scene.answer("n1", StepResult.DONE).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED");
  }
}
