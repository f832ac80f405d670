// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.pointsman.operator.plan.KubeProxyView;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.NodeView;
import io.pointsman.operator.plan.PodState;
import io.pointsman.operator.plan.PodUpdates;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Cuts watched objects down to what the planners need, so that memory follows that. */
final class Reductions {
  private Reductions() {}

  static Node node(Node node) {
    return new NodeBuilder()
        .withMetadata(meta(node.getMetadata()))
        .withNewSpec()
        .withTaints(node.getSpec() == null ? List.of() : node.getSpec().getTaints())
        .endSpec()
        .withNewStatus()
        .withConditions(ready(node) == null ? List.of() : List.of(ready(node)))
        .withNewNodeInfo()
        .withOperatingSystem(os(node))
        .endNodeInfo()
        .endStatus()
        .build();
  }

  static NodeView view(Node node) {
    NodeCondition ready = ready(node);
    String since = ready == null ? null : ready.getLastTransitionTime();
    boolean removal =
        node.getSpec() != null
            && node.getSpec().getTaints().stream()
                .anyMatch(taint -> NodeView.REMOVAL_TAINTS.contains(taint.getKey()));
    return new NodeView(
        node.getMetadata().getName(),
        Objects.requireNonNullElse(node.getMetadata().getUid(), ""),
        labels(node.getMetadata()),
        os(node),
        ready != null && "True".equals(ready.getStatus()),
        Instant.parse(Objects.requireNonNullElse(since, created(node.getMetadata()))),
        removal || node.isMarkedForDeletion());
  }

  static DaemonSet daemonSet(DaemonSet daemonSet) {
    return new DaemonSetBuilder()
        .withMetadata(
            new ObjectMetaBuilder(meta(daemonSet.getMetadata()))
                .withAnnotations(keptAt(daemonSet))
                .build())
        .withNewSpec()
        .withSelector(daemonSet.getSpec().getSelector())
        .withNewTemplate()
        .withNewSpec()
        .withNodeSelector(nodeSelector(daemonSet))
        .endSpec()
        .endTemplate()
        .endSpec()
        .withNewStatus()
        .withObservedGeneration(
            daemonSet.getStatus() == null ? null : daemonSet.getStatus().getObservedGeneration())
        .endStatus()
        .build();
  }

  static KubeProxyView view(
      DaemonSet daemonSet, @Nullable String remover, Map<String, PodState> pods) {
    return new KubeProxyView(
        nodeSelector(daemonSet), observed(daemonSet), remover, updates(daemonSet), pods);
  }

  /** Whether the DaemonSet controller has acted on the present spec. */
  static boolean observed(DaemonSet daemonSet) {
    Long observed =
        daemonSet.getStatus() == null ? null : daemonSet.getStatus().getObservedGeneration();
    Long generation = daemonSet.getMetadata().getGeneration();
    return observed != null && generation != null && observed >= generation;
  }

  static PodUpdates updates(DaemonSet daemonSet) {
    String generation = String.valueOf(daemonSet.getMetadata().getGeneration());
    Map<String, String> keptAt = keptAt(daemonSet);
    if (keptAt.isEmpty()) {
      return PodUpdates.OWN;
    }
    return keptAt.containsValue(generation) ? PodUpdates.KEPT : PodUpdates.KEPT_TOO_LONG;
  }

  /** Of a DaemonSet's annotations the operator's own, where it is there. */
  private static Map<String, String> keptAt(DaemonSet daemonSet) {
    Map<String, String> annotations = daemonSet.getMetadata().getAnnotations();
    String value = annotations == null ? null : annotations.get(Names.PODS_KEPT_AT);
    return value == null ? Map.of() : Map.of(Names.PODS_KEPT_AT, value);
  }

  static Map<String, String> nodeSelector(DaemonSet daemonSet) {
    Map<String, String> selector =
        daemonSet.getSpec().getTemplate().getSpec() == null
            ? null
            : daemonSet.getSpec().getTemplate().getSpec().getNodeSelector();
    return selector == null ? Map.of() : selector;
  }

  static LabelSelector podSelector(DaemonSet daemonSet) {
    return daemonSet.getSpec().getSelector();
  }

  static Pod pod(Pod pod) {
    return new PodBuilder()
        .withMetadata(
            new ObjectMetaBuilder(meta(pod.getMetadata()))
                .withLabels(null)
                .withOwnerReferences(pod.getMetadata().getOwnerReferences())
                .build())
        .withNewSpec()
        .withNodeName(pod.getSpec() == null ? null : pod.getSpec().getNodeName())
        .endSpec()
        .withNewStatus()
        .withPhase(pod.getStatus() == null ? null : pod.getStatus().getPhase())
        .withConditions(
            pod.getStatus() == null
                ? List.of()
                : pod.getStatus().getConditions().stream()
                    .filter(condition -> condition.getType().equals("Ready"))
                    .toList())
        .endStatus()
        .build();
  }

  /** The state of a pod of that DaemonSet; null when it is another's, ended or on no node yet. */
  static @Nullable PodState podState(Pod pod, String daemonSet) {
    String phase = pod.getStatus().getPhase();
    boolean ended = "Succeeded".equals(phase) || "Failed".equals(phase);
    if (ended || pod.getSpec().getNodeName() == null || !ownedBy(pod, daemonSet)) {
      return null;
    }
    boolean ready =
        pod.getMetadata().getDeletionTimestamp() == null
            && pod.getStatus().getConditions().stream()
                .anyMatch(condition -> "True".equals(condition.getStatus()));
    return ready ? PodState.READY : PodState.PRESENT;
  }

  private static boolean ownedBy(Pod pod, String daemonSet) {
    return pod.getMetadata().getOwnerReferences().stream()
        .anyMatch(
            owner -> owner.getKind().equals("DaemonSet") && owner.getName().equals(daemonSet));
  }

  private static @Nullable NodeCondition ready(Node node) {
    if (node.getStatus() == null) {
      return null;
    }
    return node.getStatus().getConditions().stream()
        .filter(condition -> condition.getType().equals("Ready"))
        .findFirst()
        .orElse(null);
  }

  /** By the kubelet's own word, then by label; a node that says nothing is taken for Linux. */
  private static String os(Node node) {
    String info =
        node.getStatus() == null || node.getStatus().getNodeInfo() == null
            ? null
            : node.getStatus().getNodeInfo().getOperatingSystem();
    if (info != null && !info.isEmpty()) {
      return info;
    }
    return labels(node.getMetadata()).getOrDefault("kubernetes.io/os", "linux");
  }

  private static Map<String, String> labels(ObjectMeta meta) {
    return meta.getLabels() == null ? Map.of() : meta.getLabels();
  }

  private static String created(ObjectMeta meta) {
    return Objects.requireNonNullElse(meta.getCreationTimestamp(), Instant.EPOCH.toString());
  }

  private static ObjectMeta meta(ObjectMeta meta) {
    return new ObjectMetaBuilder()
        .withName(meta.getName())
        .withNamespace(meta.getNamespace())
        .withUid(meta.getUid())
        .withResourceVersion(meta.getResourceVersion())
        .withGeneration(meta.getGeneration())
        .withCreationTimestamp(meta.getCreationTimestamp())
        .withDeletionTimestamp(meta.getDeletionTimestamp())
        .withLabels(meta.getLabels())
        .build();
  }
}
