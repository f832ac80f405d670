// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.lab.Node;
import java.time.Duration;
import java.util.List;

/** The walk there and back, and what must hold at both of its ends. */
final class Walk {
  private static final Duration LIMIT = Duration.ofMinutes(6);

  private final TestCluster cluster;

  Walk(TestCluster cluster) {
    this.cluster = cluster;
  }

  /** Asks for BPF. */
  void apply() {
    cluster.kubectl("apply", "-f", "src/test/resources/e2e/dataplane.yaml");
  }

  /** Waits as a user would, then holds every node to its proof. */
  void awaitBpf() {
    cluster.kubectl("wait", "--for=condition=Ready", "pdp/default", "--timeout=360s");
    var running = cluster.lab().nodes().stream().filter(Node::running).toList();
    var nodes = nodeDataplanes();
    assertThat(nodes).extracting(node -> node.getMetadata().getName()).contains(names(running));
    for (var node : nodes) {
      assertThat(node.getStatus().step).isEqualTo(Step.CLEAN);
      assertThat(node.getStatus().result).isEqualTo(StepResult.DONE);
      assertThat(node.getStatus().proven).isTrue();
      assertThat(node.getStatus().kernelDigest).isEqualTo(node.getStatus().desiredDigest);
      assertThat(node.getSpec().kubeProxy).isEqualTo(KubeProxyState.DETACHED);
    }
    assertThat(kubeProxyPods()).isEmpty();
    for (var node : running) {
      assertThat(kubeProxyChains(node)).as(node.name()).isEmpty();
    }
  }

  private static String[] names(List<Node> nodes) {
    return nodes.stream().map(Node::name).toArray(String[]::new);
  }

  /** Deletes the resource, as a user would, and holds every node to having nothing of ours left. */
  void goBack() {
    cluster.kubectl("delete", "pdp", "default", "--timeout=360s");
    var nodes = cluster.lab().nodes();
    await().atMost(LIMIT).until(() -> kubeProxyPods().size() == nodes.size());
    assertThat(nodeDataplanes()).isEmpty();
    for (var node : nodes) {
      assertThat(kubeProxyChains(node)).as(node.name()).isNotEmpty();
      assertThat(cluster.onNode(node.name(), "ls", "/sys/fs/bpf")).doesNotContain("pointsman");
      assertThat(cluster.client().nodes().withName(node.name()).get().getMetadata().getLabels())
          .doesNotContainKey("pointsman.io/kube-proxy");
    }
  }

  List<NodeDataplane> nodeDataplanes() {
    return cluster.client().resources(NodeDataplane.class).list().getItems();
  }

  List<Pod> kubeProxyPods() {
    return cluster
        .client()
        .pods()
        .inNamespace("kube-system")
        .withLabel("k8s-app", "kube-proxy")
        .list()
        .getItems();
  }

  /** Chains of kube-proxy's on the node; the kubelet's own are not among them. */
  List<String> kubeProxyChains(Node node) {
    return cluster
        .onNode(node.name(), "sh", "-c", "iptables-save; ip6tables-save")
        .lines()
        .filter(line -> line.startsWith(":KUBE-"))
        .filter(line -> !line.matches(":KUBE-(FIREWALL|IPTABLES-HINT|KUBELET-CANARY) .*"))
        .toList();
  }
}
