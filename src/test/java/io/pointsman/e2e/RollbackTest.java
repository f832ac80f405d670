// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.lab.Hang;
import io.pointsman.lab.LabOptions;
import io.pointsman.operator.plan.Standpoint;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A switch that cannot go on ends where it began, says which object stood in its way, and loses no
 * request; one that nobody can steer for two minutes goes on afterwards. Killed programs are {@link
 * KillTest}'s.
 */
@Tag("lab")
@OnlyInLab("kube-proxy's pods are held and the API server is stopped")
class RollbackTest {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final int PER_SECOND = 25;
  private static final int OUTAGE_SECONDS = 120;

  private static TestCluster cluster;
  private static Walk walk;

  @BeforeAll
  static void up() {
    cluster = TestCluster.inLab(LabOptions.named("rollback").withNodes(2));
    walk = new Walk(cluster);
    cluster.install();
    WebLoad.deploy(cluster);
  }

  @AfterAll
  static void down() {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** What was told of another obstacle would be found again. */
  @BeforeEach
  void forgetEvents() {
    cluster.kubectl("delete", "events", "--all");
  }

  /** A test that failed half-way does not leave its cluster to the next one. */
  @AfterEach
  void back() {
    if (!cluster.client().resources(ProxyDataplane.class).list().getItems().isEmpty()) {
      walk.goBack();
    }
  }

  @ParameterizedTest
  @EnumSource(Obstacle.class)
  void endsWhereItBegan(Obstacle obstacle) {
    try (var load = WebLoad.start(cluster, PER_SECOND)) {
      obstacle.from().ifPresent(RollbackTest::go);
      try (var way = obstacle.arise(cluster)) {
        var deadline = "rollout:\n    progressDeadlineSeconds: " + obstacle.deadline();
        walk.apply(obstacle.wanted(), manifest -> manifest.replace("rollout:", deadline));
        await()
            .atMost(LIMIT)
            .until(RollbackTest::failure, failed -> failed.contains(obstacle.lastWord()));
      }
      assertThat(failure()).containsPattern(obstacle.reason()).contains(obstacle.object());
      await().atMost(LIMIT).untilAsserted(() -> assertRolledBack(obstacle));
      walk.goBack();
      var result = load.finish();
      System.out.println(obstacle + "\n" + result.table());
      assertThat(result.failed()).as(result.table()).isZero();
    }
  }

  /** The conditions, the Event and the kernel tell the same. */
  private static void assertRolledBack(Obstacle obstacle) {
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

  private static void go(LinuxDataplane dataplane) {
    walk.apply(dataplane);
    walk.await(dataplane);
  }

  @Test
  void goesOnWhenTheApiServerComesBack() {
    // Kubernetes takes pods of silent nodes out of Services, and all nodes are silent for too long.
    keepUnreadyPods("default", "web");
    keepUnreadyPods("kube-system", "kube-dns");
    try (var load = WebLoad.start(cluster, PER_SECOND)) {
      walk.apply(LinuxDataplane.BPF);
      await().atMost(LIMIT).until(walk::underWay);
      var sent = load.requests();
      try (var server = Hang.apiServer(cluster.lab())) {
        await()
            .atMost(LIMIT)
            .until(() -> load.requests() > sent + 2L * OUTAGE_SECONDS * PER_SECOND);
      }
      walk.awaitBpf();
      walk.goBack();
      var result = load.finish();
      System.out.println(result.table());
      assertThat(result.failed()).as(result.table()).isZero();
    }
  }

  private static void keepUnreadyPods(String namespace, String service) {
    cluster.kubectl(
        "patch",
        "--namespace=" + namespace,
        "service/" + service,
        "--patch={\"spec\":{\"publishNotReadyAddresses\":true}}");
  }

  /** What the operator has written down of the node that failed; empty as long as none has. */
  private static String failure() {
    return cluster.client().resources(NodeDataplane.class).list().getItems().stream()
        .flatMap(node -> Standpoint.failure(node).stream())
        .findFirst()
        .orElse("");
  }

  private static String events(String reason) {
    return cluster.kubectl(
        "get", "events", "--field-selector=reason=" + reason, "-o", "jsonpath={.items[*].message}");
  }
}
