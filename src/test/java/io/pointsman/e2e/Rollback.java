// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.NodeDataplane;
import io.pointsman.operator.plan.Standpoint;
import java.time.Duration;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** A switch that an obstacle bars, and what must hold where it began and ends. */
final class Rollback {
  private final TestCluster cluster;
  private final Walk walk;
  private final Duration limit;

  /** Of nodes that are where obstacles want them to be. */
  Rollback(TestCluster cluster, Duration limit) {
    this.cluster = cluster;
    this.walk = new Walk(cluster, limit);
    this.limit = limit;
  }

  /** Sets out, meets the obstacle, and waits until all is as it was. */
  void of(Obstacle obstacle, UnaryOperator<String> changes) {
    try (var way = obstacle.arise(cluster)) {
      var deadline = "rollout:\n    progressDeadlineSeconds: " + obstacle.deadline();
      walk.apply(
          obstacle.wanted(), manifest -> changes.apply(manifest).replace("rollout:", deadline));
      await().atMost(limit).until(this::failure, failed -> failed.contains(obstacle.lastWord()));
    }
    assertThat(failure()).containsPattern(obstacle.reason()).contains(obstacle.object());
    await().atMost(limit).untilAsserted(() -> assertRolledBack(obstacle));
  }

  /** The conditions, the Event and the kernel tell the same. */
  private void assertRolledBack(Obstacle obstacle) {
    var status = walk.resource().getStatus();
    var counts = Objects.requireNonNull(status.nodes);
    assertThat(counts.rolledBack).as(status.message).isEqualTo(1);
    assertThat(counts.switching).as(status.message).isZero();
    assertThat(Walk.condition(status, "Degraded")).isEqualTo("True NodesFailed");
    assertThat(Walk.condition(status, "Ready")).isEqualTo("False RolloutStopped");
    assertThat(Walk.condition(status, "Available")).isEqualTo("True Serving");
    assertThat(status.message).containsPattern(obstacle.reason());
    assertThat(events("NodeFailed")).containsPattern(obstacle.reason());
    var origin = obstacle.from().map(Walk::name).orElse("kube-proxy");
    assertThat(events("NodeRolledBack")).contains("is back on " + origin);
    for (var node : cluster.nodes()) {
      if (obstacle.from().isPresent()) {
        walk.holdsOnly(node.name(), obstacle.from().get());
      } else {
        assertThat(walk.kubeProxyChains(node.name())).as(node.name()).isNotEmpty();
        assertThat(cluster.onNode(node.name(), "ls", "/sys/fs/bpf")).doesNotContain("pointsman");
      }
    }
  }

  /** What the operator has written down of the node that failed; empty as long as none has. */
  private String failure() {
    return cluster.client().resources(NodeDataplane.class).list().getItems().stream()
        .flatMap(node -> Standpoint.failure(node).stream())
        .findFirst()
        .orElse("");
  }

  private String events(String reason) {
    return cluster.kubectl(
        "get", "events", "--field-selector=reason=" + reason, "-o", "jsonpath={.items[*].message}");
  }
}
