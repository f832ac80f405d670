// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static io.pointsman.operator.Stage.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.operator.plan.Names;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From one dataplane to another on a real API server. */
@NullUnmarked
class EdgeOperatorTest {
  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  @Test
  void kubeProxyLeavesBeforeIptablesIsPrepared() {
    stage.players.holding.add("n1/PREPARE");
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.linuxDataplane = LinuxDataplane.IPTABLES);

    await()
        .until(this::places, "n1=IPTABLES/PREPARE/DETACHED n2=IPTABLES/PREFLIGHT/ATTACHED"::equals);
    assertThat(stage.kubeProxyNodes()).containsExactly("n2");
    stage.players.rest();
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.dataplane("default").getStatus().currentDataplane)
        .isEqualTo(LinuxDataplane.IPTABLES);
    stage.leave("default");
    stage.assertNothingIsLeft("n1", "n2");
  }

  @Test
  void aFailedPrepareGivesTheNodeBackToKubeProxy() {
    stage.players.failing.add("n1/PREPARE");
    stage.nodes("n1").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.linuxDataplane = LinuxDataplane.IPTABLES);

    await().until(this::places, "n1=IPTABLES/REMOVE/ATTACHED"::equals);
    assertThat(stage.kubeProxyNodes()).containsExactly("n1");
    await().until(() -> stage.dataplane("default").getStatus().nodes.rolledBack == 1);
  }

  @Test
  void fromBpfToIpvsKubeProxyStaysOff() {
    onBpf("n1", "n2");
    stage.edit("default", EdgeOperatorTest::ipvs);

    await().until(this::places, "n1=IPVS/CLEAN/DETACHED n2=IPVS/CLEAN/DETACHED"::equals);
    await().until(() -> stage.dataplane("default").getStatus().observedGeneration == 2);
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.dataplane("default").getStatus().currentDataplane)
        .isEqualTo(LinuxDataplane.IPVS);
    assertThat(node("n1").getSpec().scheduler).isEqualTo(Scheduler.WLC);
    assertThat(node("n1").getMetadata().getAnnotations())
        .doesNotContainKeys(Names.ORIGIN, Names.REPLACES);
    assertThat(stage.events()).doesNotContain("KubeProxyReturned");
    assertThat(stage.kubeProxyNodes()).isEmpty();
  }

  @Test
  void aFailureOnTheWayToIpvsEndsOnBpf() {
    onBpf("n1", "n2");
    stage.players.failing.add("n1/IPVS/ACTIVATE");
    stage.edit("default", EdgeOperatorTest::ipvs);

    await().until(() -> stage.dataplane("default").getStatus().nodes.rolledBack == 1);
    assertThat(places()).isEqualTo("n1=BPF/CLEAN/DETACHED n2=BPF/CLEAN/DETACHED");
    assertThat(node("n1").getSpec().scheduler).isEqualTo(Scheduler.RANDOM);
    assertThat(stage.condition("default", "Stalled")).isEqualTo("True/RolloutStopped");
    assertThat(stage.dataplane("default").getStatus().message).contains("Back on BPF");
    assertThat(stage.events())
        .contains("NodeFailed", "NodeRolledBack")
        .doesNotContain("KubeProxyReturned");
    assertThat(stage.kubeProxyNodes()).isEmpty();

    stage.players.rest();
    stage.edit("default", spec -> spec.rollout.drainSeconds = 10);
    await().until(this::places, "n1=IPVS/CLEAN/DETACHED n2=IPVS/CLEAN/DETACHED"::equals);
    stage.awaitCondition("default", "Ready", "True/Converged");
  }

  @Test
  void aRollbackThatFailsTooStaysAndIsNamed() {
    onBpf("n1", "n2");
    stage.players.failing.add("n1/ACTIVATE");
    stage.edit("default", EdgeOperatorTest::ipvs);

    await().until(() -> stage.events().contains("RollbackFailed"));
    await().until(() -> stage.dataplane("default").getStatus().nodes.failed == 1);
    assertThat(places()).isEqualTo("n1=BPF/ACTIVATE/DETACHED n2=BPF/CLEAN/DETACHED");
    assertThat(stage.condition("default", "Available")).isEqualTo("False/NodesFailed");
    assertThat(stage.dataplane("default").getStatus().message).contains("cannot go back to BPF");
    assertThat(stage.events()).containsOnlyOnce("RollbackFailed");
    stage.players.rest();
    stage.edit(
        "default",
        spec -> {
          spec.linuxDataplane = LinuxDataplane.BPF;
          spec.scheduler = Scheduler.RANDOM;
        });
    stage.awaitCondition("default", "Ready", "True/Converged");
  }

  @Test
  void turnsRoundOnTheWay() {
    onBpf("n1");
    stage.players.holding.add("n1/PREPARE");
    stage.edit("default", EdgeOperatorTest::ipvs);
    await().until(this::places, "n1=IPVS/PREPARE/DETACHED"::equals);
    stage.edit(
        "default",
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPTABLES;
          spec.scheduler = Scheduler.RR;
        });
    await().until(this::places, "n1=IPTABLES/PREPARE/DETACHED"::equals);
    stage.players.rest();

    await().until(this::places, "n1=IPTABLES/CLEAN/DETACHED"::equals);
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.events()).doesNotContain("KubeProxyReturned");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PREFLIGHT", "PREPARE", "ACTIVATE", "CLEAN"})
  void anotherOperatorGoesOnFromEveryStep(String held) {
    PointsmanOperator first = onBpf("n1", "n2");
    stage.players.holding.add("n1/" + held);
    stage.edit("default", EdgeOperatorTest::ipvs);
    String seen = "n1=IPVS/" + held + "/DETACHED n2=BPF/CLEAN/DETACHED";
    await().until(this::places, seen::equals);
    stage.stop(first);

    stage.players.rest();
    stage.operator("b");
    await().until(this::places, "n1=IPVS/CLEAN/DETACHED n2=IPVS/CLEAN/DETACHED"::equals);
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.events()).doesNotContain("KubeProxyReturned", "NodeFailed");
  }

  private PointsmanOperator onBpf(String... nodes) {
    stage.nodes(nodes).kubeProxy();
    PointsmanOperator operator = stage.operator("a");
    stage.dataplane("default", spec -> spec.scheduler = Scheduler.RANDOM);
    stage.awaitCondition("default", "Ready", "True/Converged");
    return operator;
  }

  private static void ipvs(ProxyDataplaneSpec spec) {
    spec.linuxDataplane = LinuxDataplane.IPVS;
    spec.scheduler = Scheduler.WLC;
  }

  private NodeDataplane node(String name) {
    return stage.admin.resources(NodeDataplane.class).withName(name).get();
  }

  /** Where every ruled node is, as "n1=IPVS/CLEAN/DETACHED". */
  private String places() {
    return stage.admin.resources(NodeDataplane.class).list().getItems().stream()
        .map(node -> node.getMetadata().getName() + "=" + place(node.getSpec()))
        .sorted()
        .collect(Collectors.joining(" "));
  }

  private static String place(NodeDataplaneSpec spec) {
    return spec.linuxDataplane + "/" + spec.step + "/" + spec.kubeProxy;
  }
}
