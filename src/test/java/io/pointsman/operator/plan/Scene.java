// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A cluster in memory: the plans are carried out, and agents, kubelets and time are played. */
final class Scene {
  static final String DIGEST = "0123456789abcdef0123456789abcdef";
  static final DaemonSetRef KUBE_PROXY = new DaemonSetRef("kube-system", "kube-proxy");

  Instant now = Instant.parse("2026-01-01T00:00:00Z");
  final TreeMap<String, NodeView> nodes = new TreeMap<>();
  final TreeMap<String, NodeDataplane> ruled = new TreeMap<>();
  final Map<String, ProxyDataplane> dataplanes = new LinkedHashMap<>();
  final Map<String, PodState> pods = new TreeMap<>();
  final List<Notice> notices = new ArrayList<>();
  @Nullable Map<String, String> selector = Map.of("kubernetes.io/os", "linux");
  PodUpdates updates = PodUpdates.OWN;
  private int version = 100;

  /** Nodes and one ProxyDataplane "default" without soak. */
  static Scene of(String... names) {
    Scene scene = new Scene();
    for (String name : names) {
      scene.node(name);
    }
    scene.dataplane("default", spec -> {});
    return scene.kubelets();
  }

  Scene node(String name) {
    nodes.put(name, new NodeView(name, "uid-" + name, Map.of(), "linux", true, now, false));
    return this;
  }

  Scene label(String node, String key, String value) {
    Map<String, String> labels = new LinkedHashMap<>(view(node).labels());
    labels.put(key, value);
    return replace(node, labels, view(node).ready(), view(node).readySince());
  }

  Scene ready(String node, boolean ready) {
    return replace(node, view(node).labels(), ready, now);
  }

  Scene dataplane(String name, Consumer<ProxyDataplaneSpec> change) {
    ProxyDataplane dataplane = new ProxyDataplane();
    dataplane.setMetadata(
        new ObjectMetaBuilder()
            .withName(name)
            .withGeneration(1L)
            .withCreationTimestamp(now.plusSeconds(dataplanes.size()).toString())
            .build());
    dataplane.setSpec(new ProxyDataplaneSpec());
    dataplane.getSpec().linuxDataplane = LinuxDataplane.BPF;
    dataplane.getSpec().rollout.canary.soakSeconds = 0;
    change.accept(dataplane.getSpec());
    dataplanes.put(name, dataplane);
    return this;
  }

  Scene edit(Consumer<ProxyDataplaneSpec> change) {
    ProxyDataplane dataplane = dataplane("default");
    change.accept(dataplane.getSpec());
    dataplane.getMetadata().setGeneration(dataplane.getMetadata().getGeneration() + 1);
    return this;
  }

  Scene delete(String name) {
    dataplane(name).getMetadata().setDeletionTimestamp(now.toString());
    return this;
  }

  Scene unmanaged() {
    selector = null;
    pods.clear();
    dataplane("default").getSpec().kubeProxy.management = KubeProxyManagement.UNMANAGED;
    return this;
  }

  Scene advance(Duration duration) {
    now = now.plus(duration);
    return this;
  }

  ClusterView view() {
    Map<DaemonSetRef, KubeProxyView> proxies =
        selector == null
            ? Map.of()
            : Map.of(KUBE_PROXY, new KubeProxyView(selector, true, "some-tool", updates, pods));
    ServiceReference probe = new ServiceReference();
    probe.namespace = "pointsman-system";
    probe.name = "pointsman-probe";
    return new ClusterView(
        now, List.copyOf(dataplanes.values()), nodes, ruled, proxies, Set.of(DIGEST), probe);
  }

  Plan plan() {
    return plan("default");
  }

  Plan plan(String name) {
    return RolloutPlanner.plan(view(), dataplane(name));
  }

  /** One look of the operator: labels, selector, nodes. Agents and kubelets do nothing yet. */
  Scene look() {
    for (String name : List.copyOf(dataplanes.keySet())) {
      Handover handover = Handover.plan(view());
      handover.labels().forEach(this::writeLabel);
      if (!handover.hold().isEmpty()) {
        select(Names.KUBE_PROXY_ON);
        updates = PodUpdates.KEPT;
      }
      if (!handover.release().isEmpty()) {
        select(null);
        updates = PodUpdates.OWN;
      }
      if (!handover.update().isEmpty()) {
        updates = PodUpdates.OWN;
      }
      plan(name).actions().forEach(this::execute);
    }
    return this;
  }

  /** Looks, agents that do as they are told, and kubelets that follow the labels, for a while. */
  Scene settle() {
    for (int round = 0; round < 60; round++) {
      look().kubelets().agents().advance(Duration.ofSeconds(1));
    }
    return look();
  }

  /** Every agent of a Ready node has done what it was asked; see {@link #hear}. */
  Scene agents() {
    ruled.values().stream()
        .filter(node -> nodes.containsKey(name(node)) && view(name(node)).ready())
        .forEach(node -> hear(name(node), StepResult.DONE));
    return this;
  }

  /** An agent that has failed at what it was asked says nothing else until it is asked anew. */
  Scene hear(String node, StepResult result) {
    NodeDataplane current = node(node, ruled);
    NodeDataplaneStatus said = current.getStatus();
    boolean failed =
        said != null
            && said.result == StepResult.FAILED
            && current.getSpec().attempt.equals(said.attempt)
            && current.getMetadata().getGeneration().equals(said.observedGeneration);
    return failed ? this : answer(node, result);
  }

  Scene answer(String node, StepResult result) {
    NodeDataplane current = node(node, ruled);
    NodeDataplaneStatus status = new NodeDataplaneStatus();
    status.observedGeneration = current.getMetadata().getGeneration();
    status.attempt = current.getSpec().attempt;
    status.step = current.getSpec().step;
    status.result = result;
    status.reason = result == StepResult.FAILED ? "ProbeFailed" : null;
    status.message = result == StepResult.FAILED ? "no answer through 10.96.0.9" : null;
    status.catalogueDigest = DIGEST;
    status.proven = result == StepResult.DONE;
    status.verifiedAt = now.toString();
    current.setStatus(status);
    return this;
  }

  /** kube-proxy's pods are where DaemonSet and labels want them. */
  Scene kubelets() {
    if (selector == null) {
      return this;
    }
    boolean labelled = Names.KUBE_PROXY_ON.equals(selector.get(Names.KUBE_PROXY_LABEL));
    pods.clear();
    nodes.values().stream()
        .filter(node -> !labelled || node.labelled())
        .forEach(node -> pods.put(node.name(), PodState.READY));
    return this;
  }

  /** Looks, answers and kubelets until the node has been asked for this step. */
  Scene until(String node, Step step) {
    for (int round = 0; round < 60; round++) {
      look();
      NodeDataplane current = ruled.get(node);
      if (current != null && current.getSpec().step == step && !waits(current)) {
        return this;
      }
      kubelets().agents().advance(Duration.ofSeconds(1));
    }
    throw new AssertionError(node + " never got to " + step + ": " + steps());
  }

  /** The nodes whose walks have begun. */
  List<String> begun() {
    return ruled.values().stream().filter(node -> !waits(node)).map(Scene::name).toList();
  }

  /** Whether its agent has only been asked to look ahead. */
  static boolean waits(NodeDataplane node) {
    return node.getSpec().step == Step.PREFLIGHT
        && !node.getMetadata().getAnnotations().containsKey(Names.SWITCHING_SINCE);
  }

  /** Where every ruled node is, as "n1=CLEAN/DETACHED". */
  String steps() {
    return ruled.values().stream()
        .map(node -> name(node) + "=" + node.getSpec().step + "/" + node.getSpec().kubeProxy)
        .collect(Collectors.joining(" "));
  }

  Report.Verdict verdict(String type) {
    return verdict("default", type);
  }

  Report.Verdict verdict(String dataplane, String type) {
    return plan(dataplane).report().verdicts().stream()
        .filter(verdict -> verdict.type().equals(type))
        .findFirst()
        .orElseThrow();
  }

  ProxyDataplane dataplane(String name) {
    return node(name, dataplanes);
  }

  NodeView view(String name) {
    return node(name, nodes);
  }

  NodeDataplane ruled(String name) {
    return node(name, ruled);
  }

  void select(@Nullable String value) {
    Map<String, String> next = new LinkedHashMap<>(selector == null ? Map.of() : selector);
    next.remove(Names.KUBE_PROXY_LABEL);
    if (value != null) {
      next.put(Names.KUBE_PROXY_LABEL, value);
    }
    selector = next;
  }

  private void execute(NodeAction action) {
    notices.addAll(action.notices());
    switch (action) {
      case NodeAction.Forget forget -> ruled.remove(forget.node());
      case NodeAction.Write write -> write(write);
    }
  }

  private void write(NodeAction.Write write) {
    NodeDataplane before = ruled.get(write.node());
    NodeDataplane next = new NodeDataplane();
    boolean same = before != null && Target.same(before.getSpec(), write.spec());
    long generation = before == null ? 1 : before.getMetadata().getGeneration() + (same ? 0 : 1);
    next.setMetadata(
        new ObjectMetaBuilder()
            .withName(write.node())
            .withGeneration(generation)
            .withResourceVersion(Integer.toString(version++))
            .withCreationTimestamp(now.toString())
            .withAnnotations(write.annotations())
            .build());
    next.setSpec(write.spec());
    if (before != null) {
      next.setStatus(before.getStatus());
    }
    ruled.put(write.node(), next);
  }

  void writeLabel(String node, boolean on) {
    Map<String, String> labels = new LinkedHashMap<>(view(node).labels());
    labels.remove(Names.KUBE_PROXY_LABEL);
    if (on) {
      labels.put(Names.KUBE_PROXY_LABEL, Names.KUBE_PROXY_ON);
    }
    replace(node, labels, view(node).ready(), view(node).readySince());
  }

  private Scene replace(
      String node, Map<String, String> labels, boolean ready, Instant readySince) {
    NodeView before = view(node);
    nodes.put(
        node,
        new NodeView(node, before.uid(), labels, before.os(), ready, readySince, before.leaving()));
    return this;
  }

  private static String name(NodeDataplane node) {
    return node.getMetadata().getName();
  }

  private static <T> T node(String name, Map<String, T> all) {
    T found = all.get(name);
    if (found == null) {
      throw new AssertionError("there is no " + name);
    }
    return found;
  }
}
