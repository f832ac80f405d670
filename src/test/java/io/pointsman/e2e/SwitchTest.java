// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.LabOptions;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * The main job on a cluster of somebody else's: from kube-proxy to BPF and back without a failed
 * request. In a lab {@link EdgesTest} asks for the same and more.
 */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@EnabledIfEnvironmentVariable(
    named = "KUBECONFIG",
    matches = ".+",
    disabledReason = "EdgesTest goes this way in a lab; here it needs a cluster in KUBECONFIG")
@TestMethodOrder(OrderAnnotation.class)
class SwitchTest {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static TestCluster cluster;
  private static Walk walk;
  private static WebLoad load;

  @BeforeAll
  static void up() {
    cluster = TestCluster.up(LabOptions.named("switch"));
    walk = new Walk(cluster);
    cluster.install();
    WebLoad.deploy(cluster);
    load = WebLoad.start(cluster, 100);
    awaitRequests(500);
  }

  @AfterAll
  static void down() {
    if (load != null) {
      load.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  @Order(1)
  void goesToBpf() {
    load.phase("to BPF");
    walk.apply();
    walk.awaitBpf();
    var nodes = cluster.nodes().size();
    assertThat(walk.nodeDataplanes()).hasSize(nodes);
    var status = walk.resource().getStatus();
    assertThat(status.currentDataplane).isEqualTo(LinuxDataplane.BPF);
    assertThat(status.convergedNodes).isEqualTo(nodes + "/" + nodes);
  }

  @Test
  @Order(2)
  void servesAndFollowsTheCluster() {
    load.phase("on BPF");
    var before = load.requests();
    walk.scaleWeb(6);
    walk.scaleWeb(3);
    awaitRequests(before + 2000);
  }

  @Test
  @Order(3)
  void goesBackToKubeProxy() {
    load.phase("to kube-proxy");
    walk.goBack();
    load.phase("after");
    awaitRequests(load.requests() + 1000);
  }

  @Test
  @Order(4)
  void noRequestFailed() {
    var result = load.finish();
    System.out.println(result.table());
    assertThat(result.requests()).isGreaterThan(5000);
    assertThat(result.failed()).as(result.table()).isZero();
  }

  private static void awaitRequests(long count) {
    await().atMost(LIMIT).until(() -> load.requests() >= count);
  }
}
