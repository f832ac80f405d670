// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategy;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategyBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.operator.plan.Conditions;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.PodUpdates;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;

/** What a test does to the cluster as its administrator, and what it sees there. */
class Cluster {
  static final String NAMESPACE = "pointsman-system";
  static final String KUBE_SYSTEM = "kube-system";
  static final String KUBE_PROXY = "kube-proxy";
  private static final DaemonSetUpdateStrategy ROLLING =
      new DaemonSetUpdateStrategyBuilder()
          .withType("RollingUpdate")
          .withNewRollingUpdate()
          .withMaxUnavailable(new IntOrString(2))
          .withMaxSurge(new IntOrString(0))
          .endRollingUpdate()
          .build();
  private static final Duration LIMIT = Duration.ofSeconds(90);

  final KubernetesClient admin;

  Cluster(KubernetesClient admin) {
    this.admin = admin;
  }

  static ConditionFactory await() {
    return Awaitility.await().atMost(LIMIT).pollInterval(Duration.ofMillis(50));
  }

  /** Nodes, Ready. */
  Cluster nodes(String... names) {
    for (String name : names) {
      admin
          .resource(
              new NodeBuilder()
                  .withNewMetadata()
                  .withName(name)
                  .addToLabels("kubernetes.io/os", "linux")
                  .endMetadata()
                  .build())
          .create();
      ready(name, true);
    }
    return this;
  }

  /** Says as a kubelet or the node controller does whether the node is Ready. */
  void ready(String node, boolean ready) {
    await().ignoreExceptions().untilAsserted(() -> tryReady(node, ready));
  }

  private void tryReady(String node, boolean ready) {
    admin
        .nodes()
        .withName(node)
        .editStatus(
            current ->
                new NodeBuilder(current)
                    .editOrNewStatus()
                    .withConditions(List.of())
                    .addNewCondition()
                    .withType("Ready")
                    .withStatus(ready ? "True" : "Unknown")
                    .withLastTransitionTime(
                        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
                    .endCondition()
                    .endStatus()
                    .build());
  }

  /**
   * kube-proxy's DaemonSet as kubeadm has it, by another field manager, with a pod on each node.
   */
  Cluster kubeProxy() {
    DaemonSet daemonSet =
        new DaemonSetBuilder()
            .withNewMetadata()
            .withName(KUBE_PROXY)
            .withNamespace(KUBE_SYSTEM)
            .endMetadata()
            .withNewSpec()
            .withNewSelector()
            .addToMatchLabels("k8s-app", "kube-proxy")
            .endSelector()
            .withUpdateStrategy(ROLLING)
            .withNewTemplate()
            .withNewMetadata()
            .addToLabels("k8s-app", "kube-proxy")
            .endMetadata()
            .withNewSpec()
            .addToNodeSelector("kubernetes.io/os", "linux")
            .addNewContainer()
            .withName("kube-proxy")
            .withImage("kube-proxy")
            .endContainer()
            .endSpec()
            .endTemplate()
            .endSpec()
            .build();
    String uid =
        admin.resource(daemonSet).fieldManager("kubeadm").serverSideApply().getMetadata().getUid();
    await().until(() -> nodesWithPodsOf(uid).containsAll(nodeNames()));
    return this;
  }

  ProxyDataplane dataplane(String name, Consumer<ProxyDataplaneSpec> change) {
    ProxyDataplane dataplane = new ProxyDataplane();
    dataplane.setMetadata(new ObjectMetaBuilder().withName(name).build());
    dataplane.setSpec(new ProxyDataplaneSpec());
    dataplane.getSpec().linuxDataplane = LinuxDataplane.BPF;
    dataplane.getSpec().rollout.canary.soakSeconds = 0;
    change.accept(dataplane.getSpec());
    return admin.resource(dataplane).create();
  }

  /** Deletes the resource and waits until it has let go of the cluster. */
  void leave(String name) {
    admin.resources(ProxyDataplane.class).withName(name).delete();
    await().until(() -> dataplane(name) == null);
  }

  /** Edits as a person does: again when somebody was faster. */
  void edit(String name, Consumer<ProxyDataplaneSpec> change) {
    await().ignoreExceptions().untilAsserted(() -> tryEdit(name, change));
  }

  private void tryEdit(String name, Consumer<ProxyDataplaneSpec> change) {
    admin
        .resources(ProxyDataplane.class)
        .withName(name)
        .edit(
            dataplane -> {
              change.accept(dataplane.getSpec());
              return dataplane;
            });
  }

  @Nullable ProxyDataplane dataplane(String name) {
    return admin.resources(ProxyDataplane.class).withName(name).get();
  }

  /** "True/Converged", or "" while the condition is not there. */
  String condition(String name, String type) {
    ProxyDataplane dataplane = dataplane(name);
    if (dataplane == null || dataplane.getStatus() == null) {
      return "";
    }
    return Conditions.find(dataplane.getStatus().conditions, type)
        .map(condition -> condition.status + "/" + condition.reason)
        .orElse("");
  }

  void awaitCondition(String name, String type, String value) {
    await()
        .untilAsserted(
            () ->
                assertThat(condition(name, type))
                    .as(() -> type + " of " + name + ", nodes " + steps())
                    .isEqualTo(value));
  }

  /** Where every ruled node is, as "n1=CLEAN/DETACHED". */
  String steps() {
    return admin.resources(NodeDataplane.class).list().getItems().stream()
        .map(
            node ->
                node.getMetadata().getName()
                    + "="
                    + node.getSpec().step
                    + "/"
                    + node.getSpec().kubeProxy)
        .sorted()
        .collect(Collectors.joining(" "));
  }

  private List<String> nodeNames() {
    return admin.nodes().list().getItems().stream()
        .map(node -> node.getMetadata().getName())
        .toList();
  }

  private Set<String> nodesWithPodsOf(String owner) {
    return admin.pods().inNamespace(KUBE_SYSTEM).list().getItems().stream()
        .filter(pod -> pod.getOwnerReferenceFor(owner).isPresent())
        .map(pod -> pod.getSpec().getNodeName())
        .collect(Collectors.toSet());
  }

  List<String> kubeProxyNodes() {
    return admin
        .pods()
        .inNamespace(KUBE_SYSTEM)
        .withLabel("k8s-app", "kube-proxy")
        .list()
        .getItems()
        .stream()
        .map(pod -> pod.getSpec().getNodeName())
        .sorted()
        .toList();
  }

  List<String> labelledNodes() {
    return admin
        .nodes()
        .withLabel(Names.KUBE_PROXY_LABEL, Names.KUBE_PROXY_ON)
        .list()
        .getItems()
        .stream()
        .map(node -> node.getMetadata().getName())
        .sorted()
        .toList();
  }

  Map<String, String> selector() {
    return Reductions.nodeSelector(kubeProxyDaemonSet());
  }

  DaemonSet kubeProxyDaemonSet() {
    return admin.apps().daemonSets().inNamespace(KUBE_SYSTEM).withName(KUBE_PROXY).get();
  }

  /** kube-proxy's updateStrategy as the DaemonSet was made with. */
  void assertUpdatesByItself() {
    assertThat(kubeProxyDaemonSet().getSpec().getUpdateStrategy()).isEqualTo(ROLLING);
    assertThat(Reductions.updates(kubeProxyDaemonSet())).isEqualTo(PodUpdates.OWN);
  }

  List<String> events() {
    return admin.events().v1().events().inNamespace("default").list().getItems().stream()
        .map(event -> event.getReason())
        .sorted()
        .toList();
  }

  /** Writes another holder into the lease, as only a mistake or a partition could. */
  void takeLease(String holder) {
    admin
        .leases()
        .inNamespace(NAMESPACE)
        .withName(PointsmanOperator.LEASE)
        .edit(
            lease -> {
              lease.getSpec().setHolderIdentity(holder);
              lease.getSpec().setRenewTime(ZonedDateTime.now(ZoneOffset.UTC));
              lease.getSpec().setLeaseDurationSeconds(60);
              return lease;
            });
  }

  /** Every node is on kube-proxy as if the operator had never been there. */
  void assertNothingIsLeft(String... nodes) {
    assertThat(steps()).isEmpty();
    await().untilAsserted(() -> assertThat(kubeProxyNodes()).containsExactly(nodes));
    assertThat(labelledNodes()).isEmpty();
    assertThat(selector()).isEqualTo(Map.of("kubernetes.io/os", "linux"));
    assertUpdatesByItself();
    assertThat(admin.apps().daemonSets().inNamespace(NAMESPACE).list().getItems()).isEmpty();
    assertThat(admin.configMaps().inNamespace(NAMESPACE).withName(ApiServers.NAME).get()).isNull();
    assertThat(events()).contains("WalkedBack");
  }

  /** The versions of everything that the operator writes, apart from its lease. */
  Map<String, String> versions() {
    List<HasMetadata> all = new ArrayList<>();
    all.addAll(admin.resources(ProxyDataplane.class).list().getItems());
    all.addAll(admin.resources(NodeDataplane.class).list().getItems());
    all.addAll(admin.nodes().list().getItems());
    all.addAll(admin.apps().daemonSets().inAnyNamespace().list().getItems());
    all.addAll(admin.configMaps().inNamespace(NAMESPACE).list().getItems());
    all.addAll(admin.events().v1().events().inAnyNamespace().list().getItems());
    Map<String, String> versions = new TreeMap<>();
    all.forEach(
        one ->
            versions.put(
                one.getKind() + "/" + one.getMetadata().getName(),
                one.getMetadata().getResourceVersion()));
    return versions;
  }
}
