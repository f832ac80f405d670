// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes carry kube-proxy's label and which DaemonSets select it. Labels come before the
 * selector and leave after it, so that kube-proxy never misses a node it shall run on.
 *
 * @param labels nodes to label (true) or to take the label from (false)
 * @param hold DaemonSets that lack the selector and whose nodes all carry the right labels
 * @param release DaemonSets that are touched and that nobody names any more
 * @param update DaemonSets that somebody else changed while they may replace no pod
 * @param idle whether no resource rules the cluster, or has nodes to bring back
 * @param done whether it is idle and nothing of this is left
 */
public record Handover(
    TreeMap<String, Boolean> labels,
    List<DaemonSetRef> hold,
    List<DaemonSetRef> release,
    List<DaemonSetRef> update,
    boolean idle,
    boolean done) {

  /** What the view asks for. */
  public static Handover plan(ClusterView view) {
    Ownership ownership = new Ownership(view);
    List<ProxyDataplane> live = view.dataplanes().stream().filter(ownership::isLive).toList();
    Set<DaemonSetRef> named = live.stream().map(Handover::ref).collect(Collectors.toSet());
    List<DaemonSetRef> managed =
        live.stream()
            .filter(one -> one.getSpec().kubeProxy.management == KubeProxyManagement.MANAGED)
            .filter(one -> !onlyLooks(view, one))
            .map(Handover::ref)
            .filter(view.kubeProxies()::containsKey)
            .distinct()
            .toList();
    TreeMap<String, Boolean> labels = labels(view, !managed.isEmpty());
    List<DaemonSetRef> release =
        which(view, (ref, proxy) -> proxy.touched() && !named.contains(ref));
    boolean labelled = !labels.containsValue(true);
    List<DaemonSetRef> hold =
        managed.stream()
            .filter(ref -> labelled && lacksSelector(view.kubeProxies().get(ref)))
            .toList();
    List<DaemonSetRef> update =
        which(
            view,
            (ref, proxy) ->
                proxy.updates() == PodUpdates.KEPT_TOO_LONG
                    && named.contains(ref)
                    && !hold.contains(ref));
    boolean done = live.isEmpty() && release.isEmpty() && labels.isEmpty() && settled(view);
    return new Handover(labels, hold, release, update, live.isEmpty(), done);
  }

  private static List<DaemonSetRef> which(
      ClusterView view, BiPredicate<DaemonSetRef, KubeProxyView> wanted) {
    return view.kubeProxies().entrySet().stream()
        .filter(entry -> wanted.test(entry.getKey(), entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Whether it is a dry run that finds kube-proxy as it has always been, and leaves it so. */
  private static boolean onlyLooks(ClusterView view, ProxyDataplane dataplane) {
    String name = dataplane.getMetadata().getName();
    boolean untouched =
        lacksSelector(view.kubeProxies().get(ref(dataplane)))
            && view.nodeDataplanes().values().stream()
                .noneMatch(ruled -> away(ruled) && name.equals(ruled.getSpec().proxyDataplane));
    return untouched && dataplane.getSpec().rollout.dryRun && !dataplane.isMarkedForDeletion();
  }

  private static boolean lacksSelector(@Nullable KubeProxyView proxy) {
    return proxy != null && !proxy.selectorHeld();
  }

  /** The labels that differ from what they should be. */
  public static TreeMap<String, Boolean> labels(ClusterView view, boolean active) {
    TreeMap<String, Boolean> labels = new TreeMap<>();
    boolean held = view.kubeProxies().values().stream().anyMatch(KubeProxyView::selectorHeld);
    Ownership ownership = new Ownership(view);
    for (NodeView node : view.nodes().values()) {
      NodeDataplane ruled = view.nodeDataplanes().get(node.name());
      // Where nobody manages kube-proxy any more, a selector that is still there bars new nodes.
      boolean barred = held && ruled == null && !ownership.wanted(node.name());
      boolean on = (active || barred) && !away(ruled) && !waits(view, node, ruled);
      boolean may = (active || on || settled(view)) && !(held && isLeftAlone(ruled));
      if (node.linux() && may && node.labelled() != on) {
        labels.put(node.name(), on);
      }
    }
    return labels;
  }

  /** Whether kube-proxy on the node is somebody else's business. */
  private static boolean isLeftAlone(@Nullable NodeDataplane ruled) {
    return ruled != null && ruled.getSpec().kubeProxy == null;
  }

  /** Whether kube-proxy is to come to the node, but not yet. Once it may, it is not stopped. */
  private static boolean waits(ClusterView view, NodeView node, @Nullable NodeDataplane ruled) {
    if (ruled == null || ruled.getSpec().kubeProxy != KubeProxyState.ATTACHING || node.labelled()) {
      return false;
    }
    return view.dataplanes().stream()
        .filter(one -> one.getMetadata().getName().equals(ruled.getSpec().proxyDataplane))
        .anyMatch(owner -> !new NodeState(view, owner, node, ruled, false, false).mayAttach());
  }

  /**
   * Whether no DaemonSet needs the labels: none selects them, and the controller has seen that. A
   * controller that still believed in the selector would take kube-proxy off every node.
   */
  private static boolean settled(ClusterView view) {
    return view.kubeProxies().values().stream()
        .allMatch(proxy -> !proxy.selectorHeld() && proxy.observed());
  }

  /** Whether kube-proxy has been, or is being, taken off the node. */
  static boolean away(@Nullable NodeDataplane ruled) {
    return ruled != null
        && (ruled.getSpec().kubeProxy == KubeProxyState.DETACHING
            || ruled.getSpec().kubeProxy == KubeProxyState.DETACHED);
  }

  /** Whether kube-proxy has been, or is being, taken off any node. */
  public static boolean anyAway(Collection<NodeDataplane> ruled) {
    return ruled.stream().anyMatch(Handover::away);
  }

  private static DaemonSetRef ref(ProxyDataplane dataplane) {
    return DaemonSetRef.of(dataplane.getSpec().kubeProxy);
  }
}
