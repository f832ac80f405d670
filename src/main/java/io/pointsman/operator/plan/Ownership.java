// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Says which ProxyDataplane looks after which node. */
final class Ownership {
  private final ClusterView view;
  private final List<ProxyDataplane> accepted;

  Ownership(ClusterView view) {
    this.view = view;
    this.accepted = Acceptance.accepted(view.dataplanes());
  }

  /** The nodes that a resource takes over or has yet to bring back, sorted. */
  Set<String> nodesOf(ProxyDataplane dataplane) {
    Set<String> names = new TreeSet<>(view.nodes().keySet());
    names.addAll(view.nodeDataplanes().keySet());
    names.removeIf(
        node -> owner(node).filter(owner -> name(owner).equals(name(dataplane))).isEmpty());
    return names;
  }

  /** Whether a resource that is accepted and not being deleted selects the node. */
  boolean wanted(String node) {
    return selecting(node).isPresent();
  }

  boolean isAccepted(ProxyDataplane dataplane) {
    return accepted.stream().anyMatch(one -> name(one).equals(name(dataplane)));
  }

  /** Whether a resource rules nodes, or has nodes that it has yet to bring back. */
  boolean isLive(ProxyDataplane dataplane) {
    boolean ruling = isAccepted(dataplane) && !dataplane.isMarkedForDeletion();
    return ruling
        || view.nodeDataplanes().keySet().stream()
            .anyMatch(node -> owner(node).filter(o -> name(o).equals(name(dataplane))).isPresent());
  }

  private Optional<ProxyDataplane> owner(String node) {
    return selecting(node).or(() -> ruling(node));
  }

  private Optional<ProxyDataplane> selecting(String name) {
    NodeView node = view.nodes().get(name);
    if (node == null || !node.linux()) {
      return Optional.empty();
    }
    return accepted.stream()
        .filter(dataplane -> !dataplane.isMarkedForDeletion())
        .filter(dataplane -> node.selectedBy(dataplane.getSpec().nodeSelector))
        .findFirst();
  }

  /** Whoever wrote the NodeDataplane; a widowed one goes to the oldest resource. */
  private Optional<ProxyDataplane> ruling(String node) {
    NodeDataplane ruled = view.nodeDataplanes().get(node);
    if (ruled == null) {
      return Optional.empty();
    }
    return view.dataplanes().stream()
        .filter(dataplane -> name(dataplane).equals(ruled.getSpec().proxyDataplane))
        .findFirst()
        .or(() -> view.dataplanes().stream().min(Acceptance.BY_AGE));
  }

  private static String name(ProxyDataplane dataplane) {
    return dataplane.getMetadata().getName();
  }
}
