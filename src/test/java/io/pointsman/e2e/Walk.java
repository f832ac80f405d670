// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** The walk there and back, and what must hold at both of its ends. */
final class Walk {
  private static final Pattern PORT = Pattern.compile(" [^ ]+:\\d+(?= |$)");

  /** Between two looks into a node's kernel, which take a process each. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final TestCluster cluster;
  private final boolean managed;
  private final Duration limit;

  /** From kube-proxy's DaemonSet and back to it. */
  Walk(TestCluster cluster) {
    this(cluster, Pace.FULL.limit());
  }

  /** The same with another limit for a step. */
  Walk(TestCluster cluster, Duration limit) {
    this(cluster, true, limit);
  }

  private Walk(TestCluster cluster, boolean managed, Duration limit) {
    this.cluster = cluster;
    this.managed = managed;
    this.limit = limit;
  }

  /** In a cluster that has no kube-proxy, before and after. */
  static Walk withoutKubeProxy(TestCluster cluster) {
    return withoutKubeProxy(cluster, Pace.FULL.limit());
  }

  /** The same with another limit for a step. */
  static Walk withoutKubeProxy(TestCluster cluster, Duration limit) {
    return new Walk(cluster, false, limit);
  }

  /** Asks for BPF. */
  void apply() {
    apply(LinuxDataplane.BPF);
  }

  /** Asks for a dataplane. */
  void apply(LinuxDataplane wanted) {
    apply(wanted, UnaryOperator.identity());
  }

  /** The same with changes of the manifest. */
  void apply(LinuxDataplane wanted, UnaryOperator<String> changes) {
    var named = "linuxDataplane: " + name(wanted);
    cluster.apply(
        managed ? "dataplane.yaml" : "dataplane-without-kube-proxy.yaml",
        manifest -> changes.apply(manifest.replace("linuxDataplane: BPF", named)));
  }

  /** Waits for BPF as a user would, then holds every node to its proof. */
  void awaitBpf() {
    await(LinuxDataplane.BPF);
  }

  /** Waits as a user would until a dataplane serves, then holds every node to its proof. */
  void await(LinuxDataplane wanted) {
    Awaitility.await().atMost(limit).untilAsserted(() -> observed(wanted));
    cluster.kubectl("wait", "--for=condition=Ready", "pdp/default", timeout());
    var names = cluster.nodes().stream().map(TestCluster.Node::name).toList();
    var nodes = nodeDataplanes();
    assertThat(nodes).extracting(node -> node.getMetadata().getName()).containsAll(names);
    for (var node : nodes) {
      assertThat(node.getSpec().linuxDataplane).isEqualTo(wanted);
      assertThat(node.getStatus().step).isEqualTo(Step.CLEAN);
      assertThat(node.getStatus().result).isEqualTo(StepResult.DONE);
      assertThat(node.getStatus().proven).isTrue();
      assertThat(node.getStatus().kernelDigest).isEqualTo(node.getStatus().desiredDigest);
      assertThat(node.getSpec().kubeProxy).isEqualTo(managed ? KubeProxyState.DETACHED : null);
    }
    assertThat(kubeProxyPods()).isEmpty();
    names.forEach(node -> holdsOnly(node, wanted));
  }

  /** Whether a node has passed the first step. */
  boolean underWay() {
    return nodeDataplanes().stream()
        .map(NodeDataplane::getStatus)
        .anyMatch(it -> it != null && it.step != null && it.step != Step.PREFLIGHT);
  }

  /** As the resource names it. */
  static String name(LinuxDataplane dataplane) {
    return Serialization.jsonMapper().convertValue(dataplane, String.class);
  }

  private String timeout() {
    return "--timeout=" + limit.toSeconds() + "s";
  }

  /** The resource as it is now. */
  ProxyDataplane resource() {
    return cluster.client().resources(ProxyDataplane.class).withName("default").require();
  }

  /** Status and reason of a condition, with a space between; "none" when it is not there. */
  static String condition(ProxyDataplaneStatus status, String type) {
    return status.conditions.stream()
        .filter(condition -> condition.type.equals(type))
        .map(condition -> condition.status + " " + condition.reason)
        .findFirst()
        .orElse("none");
  }

  private void observed(LinuxDataplane wanted) {
    var resource = resource();
    var status = resource.getStatus();
    assertThat(status).isNotNull();
    assertThat(status.observedGeneration).isEqualTo(resource.getMetadata().getGeneration());
    assertThat(status.currentDataplane).as(status.message).isEqualTo(wanted);
  }

  /** Nothing of another dataplane is left in the node's kernel. */
  void holdsOnly(String node, LinuxDataplane wanted) {
    var chains = kubeProxyChains(node);
    assertThat(chains.stream().anyMatch(chain -> chain.startsWith(":KUBE-SVC-")))
        .as("%s: chains of Services %s", node, chains)
        .isEqualTo(wanted == LinuxDataplane.IPTABLES);
    assertThat(chains.isEmpty()).as("%s: %s", node, chains).isEqualTo(wanted == LinuxDataplane.BPF);
    assertThat(cluster.onNode(node, "ls", "/sys/class/net").contains("kube-ipvs0"))
        .isEqualTo(wanted == LinuxDataplane.IPVS);
    assertThat(cluster.onNode(node, "ls", "/sys/fs/bpf").contains("pointsman"))
        .isEqualTo(wanted == LinuxDataplane.BPF);
    assertThat(cluster.onNode(node, "nft", "list", "tables")).doesNotContain("kube-proxy");
  }

  /** What reaches a cluster address from outside these ranges is masqueraded, where rules do it. */
  void masqueradesOutside(LinuxDataplane dataplane, List<String> ranges) {
    if (dataplane == LinuxDataplane.BPF) {
      return; // it masquerades whatever another node answers
    }
    for (var node : cluster.nodes()) {
      var rules = rules(node.name());
      for (var range : ranges) {
        assertThat(rules.lines())
            .as(node.name())
            .anyMatch(rule -> rule.contains("! -s " + range) && rule.endsWith("-j KUBE-MARK-MASQ"));
      }
    }
  }

  /** Deletes the resource, as a user would, and holds every node to having nothing of ours left. */
  void goBack() {
    cluster.kubectl("delete", "pdp", "default", timeout());
    var nodes = cluster.nodes();
    if (managed) {
      // The DaemonSet has its own selector again: pods that came back with ours are replaced.
      cluster.kubectl("-n", "kube-system", "rollout", "status", "daemonset/kube-proxy", timeout());
    }
    Awaitility.await()
        .atMost(limit)
        .until(() -> kubeProxyPods().size() == (managed ? nodes.size() : 0));
    assertThat(nodeDataplanes()).isEmpty();
    for (var node : nodes) {
      assertThat(kubeProxyServes(node.name())).as(node.name()).isEqualTo(managed);
      assertThat(cluster.onNode(node.name(), "ls", "/sys/fs/bpf")).doesNotContain("pointsman");
      assertThat(cluster.onNode(node.name(), "nft", "list", "tables")).doesNotContain("pointsman");
      assertThat(cluster.client().nodes().withName(node.name()).get().getMetadata().getLabels())
          .doesNotContainKey("pointsman.io/kube-proxy");
    }
  }

  /** Scales the web Deployment of a cluster on BPF and waits for a node's maps. */
  void scaleWeb(int replicas) {
    scaleWeb(LinuxDataplane.BPF, replicas);
  }

  /** Scales the web Deployment and waits until a node's kernel holds that many backends. */
  void scaleWeb(LinuxDataplane dataplane, int replicas) {
    cluster.kubectl("scale", "deployment/web", "--replicas=" + replicas);
    cluster.kubectl("rollout", "status", "deployment/web", timeout());
    Awaitility.await()
        .atMost(limit)
        .pollInterval(LOOK)
        .untilAsserted(() -> assertThat(webBackends(dataplane)).isEqualTo(replicas));
  }

  /** How many backends of the web Service's cluster address a node's kernel holds. */
  long webBackends(LinuxDataplane dataplane) {
    var lines = webInKernel(dataplane).lines();
    return switch (dataplane) {
      case BPF ->
          lines
              .findFirst()
              .map(line -> PORT.matcher(line.substring(line.indexOf("->"))).results().count())
              .orElse(0L);
      case IPTABLES -> lines.filter(line -> line.contains("-j KUBE-SEP-")).count();
      // Those with weight 0 are there for the connections that they still have.
      case IPVS -> lines.filter(line -> line.matches(".*-> .* Masq +[1-9].*")).count();
      case NFTABLES -> throw new IllegalArgumentException("Nftables is not built yet");
    };
  }

  /** What the kernel of a node holds for the web Service's cluster address, in words of its own. */
  String webInKernel(LinuxDataplane dataplane) {
    var address = web().getSpec().getClusterIP();
    var node = cluster.nodes().getFirst().name();
    return switch (dataplane) {
      case BPF -> agent("pointsman", "maps", "--address=" + address);
      case IPTABLES ->
          rules(node, "iptables")
              .lines()
              .filter(rule -> rule.matches("-A KUBE-SVC-.*default/web:http .*"))
              .collect(Collectors.joining("\n"));
      case IPVS -> cluster.onNode(node, "awk", ipvsServer(address), "/proc/net/ip_vs");
      case NFTABLES -> throw new IllegalArgumentException("Nftables is not built yet");
    };
  }

  /** Prints a virtual server of /proc/net/ip_vs, where addresses are hexadecimal, to the next. */
  private static String ipvsServer(String address) {
    var hex = new StringBuilder();
    for (var part : address.split("\\.", -1)) {
      hex.append("%02X".formatted(Integer.parseInt(part)));
    }
    return "/^(TCP|UDP)/ {on = $0 ~ /^TCP +%s:0050/} on".formatted(hex);
  }

  private Service web() {
    return cluster.client().services().inNamespace("default").withName("web").require();
  }

  private String agent(String... command) {
    var all =
        new ArrayList<>(
            List.of("-n", TestCluster.NAMESPACE, "exec", "daemonset/pointsman-agent", "--"));
    all.addAll(List.of(command));
    return cluster.kubectl(all.toArray(String[]::new));
  }

  List<NodeDataplane> nodeDataplanes() {
    return cluster.client().resources(NodeDataplane.class).list().getItems();
  }

  /** Pods of kube-proxy's, whatever has become of them. */
  FilterWatchListDeletable<Pod, PodList, PodResource> kubeProxy() {
    return cluster.client().pods().inNamespace("kube-system").withLabel("k8s-app", "kube-proxy");
  }

  /** The nodes of those that have not ended, by name; one that has may still be listed a moment. */
  Map<String, String> kubeProxyPods() {
    return kubeProxy().list().getItems().stream()
        .filter(pod -> !List.of("Succeeded", "Failed").contains(pod.getStatus().getPhase()))
        .collect(
            Collectors.toMap(
                pod -> pod.getMetadata().getName(), pod -> pod.getSpec().getNodeName()));
  }

  /** Whether the node's kernel holds what a kube-proxy writes in any mode. */
  private boolean kubeProxyServes(String node) {
    return !kubeProxyChains(node).isEmpty()
        || cluster.onNode(node, "nft", "list", "tables").contains("kube-proxy");
  }

  /** Chains of kube-proxy's on the node; the kubelet's own are not among them. */
  List<String> kubeProxyChains(String node) {
    return rules(node)
        .lines()
        .filter(line -> line.startsWith(":KUBE-"))
        .filter(line -> !line.matches(":KUBE-(FIREWALL|IPTABLES-HINT|KUBELET-CANARY) .*"))
        .toList();
  }

  /** The node's rules of both families. */
  private String rules(String node) {
    return rules(node, "iptables") + rules(node, "ip6tables");
  }

  /** Those of one family, in nf_tables and in ip_tables, as far as the node has these. */
  private String rules(String node, String tool) {
    var save = "for kind in nft legacy; do " + tool + "-$kind-save; done; true";
    return cluster.onNode(node, "sh", "-c", save);
  }
}
