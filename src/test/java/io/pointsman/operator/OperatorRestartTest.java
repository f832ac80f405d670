// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static io.pointsman.operator.Stage.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.ProxyDataplane;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators that end anywhere, and others that go on from what is in the cluster. */
@NullUnmarked
class OperatorRestartTest {
  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  /** Where the first operator ends: what the agent is held at, and what is then to be seen. */
  static Stream<Arguments> steps() {
    return Stream.of(
        Arguments.of("n1/PREFLIGHT", "n1=PREFLIGHT/ATTACHED"),
        Arguments.of("n1/PREPARE", "n1=PREPARE/ATTACHED"),
        Arguments.of("n1/ACTIVATE", "n1=ACTIVATE/ATTACHED"),
        Arguments.of("kube-proxy/n1", "n1=ACTIVATE/DETACHING"),
        Arguments.of("n1/CLEAN", "n1=CLEAN/DETACHED"));
  }

  @ParameterizedTest
  @MethodSource("steps")
  void endsTheSameWhereverItIsRestarted(String held, String seen) {
    stage.nodes("n1", "n2").kubeProxy();
    stage.players.holding.add(held);
    PointsmanOperator first = stage.operator("a");
    stage.dataplane("default", spec -> {});
    await().until(stage::steps, (seen + " n2=PREFLIGHT/ATTACHED")::equals);
    stage.stop(first);

    stage.players.rest();
    stage.operator("b");
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(stage.kubeProxyNodes()).isEmpty();
    assertThat(stage.events())
        .filteredOn(reason -> reason.equals("NodeStarted"))
        .as("no node was begun twice; an operator that ends may take an Event with it")
        .hasSizeBetween(1, 2);
  }

  static Stream<Arguments> stepsBack() {
    return Stream.of(
        Arguments.of("kube-proxy/n1", "n1=ACTIVATE/ATTACHING n2=CLEAN/DETACHED"),
        Arguments.of("n1/DRAIN", "n1=DRAIN/ATTACHED n2=CLEAN/DETACHED"),
        Arguments.of("n1/REMOVE", "n1=REMOVE/ATTACHED n2=REMOVE/ATTACHED"));
  }

  @ParameterizedTest
  @MethodSource("stepsBack")
  void leavesNothingWhereverItIsRestartedOnTheWayBack(String held, String seen) {
    stage.nodes("n1", "n2").kubeProxy();
    PointsmanOperator first = stage.operator("a");
    stage.dataplane("default", spec -> {});
    stage.awaitCondition("default", "Ready", "True/Converged");
    stage.players.holding.add(held);
    stage.players.holding.add("n2/REMOVE");
    stage.admin.resources(ProxyDataplane.class).withName("default").delete();
    await().until(stage::steps, seen::equals);
    stage.stop(first);

    stage.players.rest();
    stage.operator("b");
    await().until(() -> stage.dataplane("default") == null);
    stage.assertNothingIsLeft("n1", "n2");
  }

  @Test
  void oneOfTwoLeadsAndTheOtherFollowsAtOnce() {
    stage.nodes("n1").kubeProxy();
    PointsmanOperator first = stage.operator("a");
    await().until(first::leading);
    PointsmanOperator second = stage.operator("b");
    assertThat(first.unready()).isEmpty();
    assertThat(second.unready()).as("a warm standby is ready").isEmpty();
    assertThat(second.leading()).isFalse();

    stage.stop(first);
    await().until(second::leading);
    stage.dataplane("default", spec -> {});
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(first.unready()).contains("not running");
    assertThat(stage.leasesLost).as("ending on purpose is no loss").hasValue(0);
  }

  @Test
  void aLeaderThatLosesTheLeaseEndsItsProcess() {
    PointsmanOperator operator = stage.operator("a");
    await().until(operator::leading);

    await()
        .until(
            () -> {
              stage.takeLease("thief");
              return stage.leasesLost.get() > 0;
            });
    assertThat(operator.leading()).isFalse();
  }
}
