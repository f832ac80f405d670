// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.lab.LabOptions;
import io.pointsman.lab.Node;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The main job: a real cluster goes from kube-proxy to BPF and back without a failed request. */
@Tag("lab")
@TestMethodOrder(OrderAnnotation.class)
class SwitchTest {
  private static final Duration SWITCH = Duration.ofMinutes(5);

  private static TestCluster cluster;
  private static WebLoad load;

  @BeforeAll
  static void up() {
    cluster = TestCluster.up(LabOptions.named("switch"));
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
    cluster.kubectl("apply", "-f", "src/test/resources/e2e/dataplane.yaml");
    cluster.kubectl("wait", "--for=condition=Ready", "pdp/default", "--timeout=300s");
    for (var node : nodeDataplanes()) {
      assertThat(node.getStatus().step).isEqualTo(Step.CLEAN);
      assertThat(node.getStatus().result).isEqualTo(StepResult.DONE);
      assertThat(node.getStatus().proven).isTrue();
      assertThat(node.getStatus().kernelDigest).isEqualTo(node.getStatus().desiredDigest);
      assertThat(node.getSpec().kubeProxy).isEqualTo(KubeProxyState.DETACHED);
    }
    assertThat(nodeDataplanes()).hasSize(3);
    assertThat(kubeProxyPods()).isZero();
    for (var node : cluster.lab().nodes()) {
      assertThat(kubeProxyChains(node)).isEmpty();
    }
  }

  @Test
  @Order(2)
  void servesAndFollowsTheCluster() {
    load.phase("on BPF");
    var before = load.requests();
    cluster.kubectl("scale", "deployment/web", "--replicas=6");
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    cluster.kubectl("scale", "deployment/web", "--replicas=3");
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    awaitRequests(before + 2000);
    assertThat(pdp().getStatus().currentDataplane).isEqualTo(pdp().getSpec().linuxDataplane);
  }

  @Test
  @Order(3)
  void goesBackToKubeProxy() {
    load.phase("to kube-proxy");
    cluster.kubectl("delete", "pdp", "default", "--timeout=300s");
    await().atMost(SWITCH).until(() -> kubeProxyPods() == 3);
    assertThat(cluster.client().resources(NodeDataplane.class).list().getItems()).isEmpty();
    for (var node : cluster.lab().nodes()) {
      assertThat(kubeProxyChains(node)).isNotEmpty();
      assertThat(cluster.onNode(node.name(), "ls", "/sys/fs/bpf")).doesNotContain("pointsman");
      assertThat(cluster.client().nodes().withName(node.name()).get().getMetadata().getLabels())
          .doesNotContainKey("pointsman.io/kube-proxy");
    }
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
    await().atMost(SWITCH).until(() -> load.requests() >= count);
  }

  private static ProxyDataplane pdp() {
    return cluster.client().resources(ProxyDataplane.class).withName("default").require();
  }

  private static List<NodeDataplane> nodeDataplanes() {
    return cluster.client().resources(NodeDataplane.class).list().getItems();
  }

  private static int kubeProxyPods() {
    return cluster
        .client()
        .pods()
        .inNamespace("kube-system")
        .withLabel("k8s-app", "kube-proxy")
        .list()
        .getItems()
        .size();
  }

  private static List<String> kubeProxyChains(Node node) {
    return cluster
        .onNode(node.name(), "sh", "-c", "iptables-save; ip6tables-save")
        .lines()
        .filter(line -> line.startsWith(":KUBE-"))
        .filter(line -> !line.matches(":KUBE-(FIREWALL|KUBELET-CANARY) .*"))
        .toList();
  }
}
