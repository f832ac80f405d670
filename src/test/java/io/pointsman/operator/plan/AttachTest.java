// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When kube-proxy may come back to a node: not before the agent stands in where it has to. */
class AttachTest {
  @ParameterizedTest
  @EnumSource(names = {"IPTABLES", "IPVS"})
  void theLabelWaitsForTheAgent(LinuxDataplane dataplane) {
    Scene scene = leaving(dataplane);
    assertThat(scene.look().view("n1").labelled()).as("no answer yet").isFalse();
    scene.answer("n1", StepResult.IN_PROGRESS);
    assertThat(scene.look().view("n1").labelled()).as("it is at it").isFalse();
    assertThat(scene.plan().report().message()).contains("stand in while kube-proxy starts");

    scene.answer("n1", StepResult.DONE);
    assertThat(scene.look().view("n1").labelled()).isTrue();
    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void anAnswerToAnOlderQuestionIsNone() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    scene.settle();
    assertThat(scene.ruled("n1").getStatus().result).isEqualTo(StepResult.DONE);
    scene.delete("default").look();

    assertThat(scene.look().view("n1").labelled()).isFalse();
  }

  @Test
  void bpfServesWhateverKubeProxyDeletes() {
    Scene scene = leaving(LinuxDataplane.BPF);

    assertThat(scene.look().view("n1").labelled()).isTrue();
  }

  @Test
  void aNodeOnItsWayFromIptablesWaitsToo() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    scene.settle().edit(spec -> spec.linuxDataplane = LinuxDataplane.BPF);
    scene.until("n1", Step.PREPARE).delete("default").look();
    assertThat(scene.steps()).as("what serves").isEqualTo("n1=ACTIVATE/ATTACHING");
    assertThat(scene.ruled("n1").getSpec().linuxDataplane).isEqualTo(LinuxDataplane.IPTABLES);

    assertThat(scene.look().view("n1").labelled()).isFalse();
    scene.answer("n1", StepResult.DONE);
    assertThat(scene.look().view("n1").labelled()).isTrue();
  }

  @Test
  void aNodeOfADryRunGoesBackAsWhatServesIt() {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    scene.settle();
    scene.edit(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.BPF;
          spec.rollout.dryRun = true;
        });
    scene.settle().delete("default").look();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHING");
    assertThat(scene.ruled("n1").getSpec().linuxDataplane).isEqualTo(LinuxDataplane.IPTABLES);

    assertThat(scene.look().view("n1").labelled()).isFalse();
    scene.answer("n1", StepResult.DONE);
    assertThat(scene.look().view("n1").labelled()).isTrue();
    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void aFailureHoldsNothingUpAndIsTold() {
    Scene scene = leaving(LinuxDataplane.IPTABLES).answer("n1", StepResult.FAILED);
    scene.ruled("n1").getStatus().reason = "StandInFailed";
    assertThat(scene.look().view("n1").labelled()).isTrue();

    scene.kubelets().look();
    assertThat(scene.steps()).isEqualTo("n1=DRAIN/ATTACHED");
    assertThat(scene.notices)
        .extracting(Notice::reason)
        .containsOnlyOnce("StandInFailed", "KubeProxyReturned");
    assertThat(scene.settle().plan().walkedBack()).isTrue();
  }

  @Test
  void aSilentAgentHoldsItUpForAMinute() {
    Scene scene = leaving(LinuxDataplane.IPTABLES).advance(Duration.ofSeconds(50));
    assertThat(scene.look().view("n1").labelled()).isFalse();

    assertThat(scene.advance(Duration.ofSeconds(11)).look().view("n1").labelled()).isTrue();
  }

  @Test
  void anAgentThatDoesNotGetThereHoldsItUpForTheDeadline() {
    Scene scene = leaving(LinuxDataplane.IPTABLES).answer("n1", StepResult.IN_PROGRESS);
    assertThat(scene.advance(Duration.ofSeconds(590)).look().view("n1").labelled()).isFalse();

    assertThat(scene.advance(Duration.ofSeconds(11)).look().view("n1").labelled()).isTrue();
  }

  /** An agent that starts anew begins its answer anew; that must not end a kube-proxy. */
  @Test
  void aLabelThatIsThereStays() {
    Scene scene = leaving(LinuxDataplane.IPTABLES).answer("n1", StepResult.DONE).look();
    assertThat(scene.view("n1").labelled()).isTrue();

    scene.answer("n1", StepResult.IN_PROGRESS);
    assertThat(scene.look().view("n1").labelled()).isTrue();
  }

  @Test
  void whileItWaitsANodeThatIsWantedAgainTurnsRound() {
    Scene scene = Scene.of("n1").label("n1", "pool", "a");
    scene.dataplane("default").getSpec().linuxDataplane = LinuxDataplane.IPTABLES;
    scene.settle().edit(spec -> spec.nodeSelector.put("pool", "b")).look().look();
    assertThat(scene.ruled("n1").getSpec().kubeProxy).isEqualTo(KubeProxyState.ATTACHING);
    assertThat(scene.pods).isEmpty();

    scene.edit(spec -> spec.nodeSelector.put("pool", "a")).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(scene.notices).extracting(Notice::reason).doesNotContain("KubeProxyReturned");
  }

  /** Converged, deleted, and just asked for the first step back. */
  private static Scene leaving(LinuxDataplane dataplane) {
    Scene scene = Scene.of("n1");
    scene.dataplane("default").getSpec().linuxDataplane = dataplane;
    scene.settle().delete("default").look();
    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/ATTACHING");
    return scene;
  }
}
