// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.Map;

/** What is in the cluster before anybody uses it: its nodes, kube-proxy and CoreDNS. */
final class Addons {
  private static final List<String> ZONES = List.of("a", "b", "c");

  private Addons() {}

  /** Registers a node with the pod ranges the lab routes to it; its kubelet then takes it over. */
  static void register(KubernetesClient kubernetes, Node node) {
    if (kubernetes.nodes().withName(node.name()).get() != null) {
      return;
    }
    var number = node.number();
    kubernetes
        .resource(
            new NodeBuilder()
                .withNewMetadata()
                .withName(node.name())
                .addToLabels("kubernetes.io/os", "linux")
                .addToLabels("kubernetes.io/hostname", node.name())
                .addToLabels("topology.kubernetes.io/zone", ZONES.get((number - 1) % ZONES.size()))
                .endMetadata()
                .withNewSpec()
                .withPodCIDR(Addresses.pods4(number))
                .withPodCIDRs(Addresses.pods4(number), Addresses.pods6(number))
                .endSpec()
                .build())
        .create();
  }

  /** kube-proxy and CoreDNS, as manifests. */
  static String manifests(LabOptions options) {
    var proxy =
        Template.render(
            "kube-proxy.yaml",
            Map.of(
                "podCidr4", Addresses.POD_CIDR_4,
                "podCidr6", Addresses.POD_CIDR_6,
                "mode", options.kubeProxyMode().configuration(),
                "server", "https://%s:%d".formatted(Addresses.CONTROL_PLANE_4, Addresses.API_PORT),
                "image", Images.KUBE_PROXY));
    var dns =
        Template.render(
            "coredns.yaml",
            Map.of(
                "dns4", Addresses.DNS_SERVICE_4,
                "dns6", Addresses.DNS_SERVICE_6,
                "image", Images.COREDNS));
    return proxy + "---\n" + dns;
  }

  /** Whether so many nodes are Ready, kube-proxy runs on those it is for, and CoreDNS is there. */
  static boolean ready(KubernetesClient kubernetes, int nodes) {
    var readyNodes = kubernetes.nodes().list().getItems().stream().filter(Addons::ready).toList();
    var proxies =
        kubernetes.apps().daemonSets().inNamespace("kube-system").withName("kube-proxy").get();
    var dns = kubernetes.apps().deployments().inNamespace("kube-system").withName("coredns").get();
    return readyNodes.size() >= nodes
        && proxies != null
        && proxies.getStatus() != null
        && orZero(proxies.getStatus().getNumberReady()) >= selected(proxies, readyNodes)
        && dns != null
        && dns.getStatus() != null
        && orZero(dns.getStatus().getReadyReplicas()) >= 1;
  }

  private static boolean ready(io.fabric8.kubernetes.api.model.Node node) {
    return node.getStatus().getConditions().stream()
        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }

  private static long selected(
      DaemonSet proxies, List<io.fabric8.kubernetes.api.model.Node> nodes) {
    var selector = proxies.getSpec().getTemplate().getSpec().getNodeSelector();
    return nodes.stream()
        .filter(node -> node.getMetadata().getLabels().entrySet().containsAll(selector.entrySet()))
        .count();
  }

  private static int orZero(@org.jspecify.annotations.Nullable Integer count) {
    return count == null ? 0 : count;
  }
}
