// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static io.pointsman.operator.Stage.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.NodePlan;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@NullUnmarked
class DryRunOperatorTest {
  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  @Test
  void showsWhatWouldBeDoneThenDoesIt() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.rollout.dryRun = true);

    stage.awaitCondition("default", "Ready", "False/DryRun");
    await().until(() -> plan().size() == 2 && plan().stream().allMatch(plan -> plan.answered));
    assertThat(stage.steps()).isEqualTo("n1=PREFLIGHT/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(stage.labelledNodes()).isEmpty();
    assertThat(stage.selector()).containsOnlyKeys("kubernetes.io/os");
    assertThat(stage.kubeProxyNodes()).containsExactly("n1", "n2");
    assertThat(plan().getFirst().steps)
        .containsExactly("Preflight", "Prepare", "Activate", "Detach", "Clean");
    assertThat(plan()).allMatch(plan -> plan.counted.entriesToWrite == 7);

    stage.edit("default", spec -> spec.rollout.dryRun = false);
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(plan()).isEmpty();
  }

  @Test
  void anAgentThatOnlyLookedLeavesNothing() {
    stage.nodes("n1").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.rollout.dryRun = true);
    stage.awaitCondition("default", "Ready", "False/DryRun");
    await().until(stage::steps, "n1=PREFLIGHT/ATTACHED"::equals);

    stage.leave("default");
    stage.assertNothingIsLeft("n1");
  }

  private List<NodePlan> plan() {
    return stage.dataplane("default").getStatus().plan;
  }
}
