// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The walk in a cluster that has no kube-proxy: BPF comes in, serves alone, is proven, and leaves
 * nothing.
 */
@TestInstance(Lifecycle.PER_CLASS)
@TestMethodOrder(OrderAnnotation.class)
abstract class WithoutKubeProxy {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private TestCluster cluster;
  private Walk walk;

  /** The cluster; none of its nodes has kube-proxy. */
  abstract TestCluster bringUp();

  @BeforeAll
  void up() {
    cluster = bringUp();
    walk = Walk.withoutKubeProxy(cluster);
  }

  @AfterAll
  void down() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  @Order(1)
  void theOperatorStartsWhereNoServiceIsServed() {
    cluster.install("--set-json", "operator.extraEnv=" + apiServer());
    assertThat(walk.kubeProxyPods()).isEmpty();
    assertThat(walk.nodeDataplanes()).isEmpty();
  }

  @Test
  @Order(2)
  void everyNodeIsProvenOnBpf() {
    walk.apply();
    walk.awaitBpf();
    cluster.kubectl(
        "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=180s");
  }

  @Test
  @Order(3)
  void bpfServesAloneAndFollowsTheService() {
    WebLoad.deploy(cluster);
    try (var load = WebLoad.start(cluster, 50)) {
      for (var replicas : new String[] {"6", "3"}) {
        var before = load.requests();
        cluster.kubectl("scale", "deployment/web", "--replicas=" + replicas);
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        await().atMost(LIMIT).until(() -> load.requests() > before + 500);
      }
      var result = load.finish();
      System.out.println(result.table());
      assertThat(result.failed()).as(result.table()).isZero();
    }
  }

  @Test
  @Order(4)
  void nothingIsLeftAfterwards() {
    walk.goBack();
  }

  /** Without kube-proxy the operator reaches the API server only by an address of its own. */
  private String apiServer() {
    var slice =
        cluster
            .client()
            .discovery()
            .v1()
            .endpointSlices()
            .inNamespace("default")
            .withLabel("kubernetes.io/service-name", "kubernetes")
            .list()
            .getItems()
            .getFirst();
    return """
    [{"name": "KUBERNETES_SERVICE_HOST", "value": "%s"},
     {"name": "KUBERNETES_SERVICE_PORT", "value": "%d"}]"""
        .formatted(
            slice.getEndpoints().getFirst().getAddresses().getFirst(),
            slice.getPorts().getFirst().getPort());
  }
}
