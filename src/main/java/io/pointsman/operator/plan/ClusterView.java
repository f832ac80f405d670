// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ServiceReference;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Everything a plan depends on.
 *
 * @param now the time, so that plans can be tested
 * @param dataplanes every ProxyDataplane of the cluster
 * @param nodes every Node by name
 * @param nodeDataplanes every NodeDataplane by name
 * @param kubeProxies the DaemonSets named as kube-proxy, and others that still carry the selector
 * @param recentDigests what the operator's own catalogue had as its digest in the last minute
 * @param probe the Service that live probes go through
 */
public record ClusterView(
    Instant now,
    List<ProxyDataplane> dataplanes,
    Map<String, NodeView> nodes,
    Map<String, NodeDataplane> nodeDataplanes,
    Map<DaemonSetRef, KubeProxyView> kubeProxies,
    Set<String> recentDigests,
    ServiceReference probe) {
  /** Takes copies. */
  public ClusterView {
    dataplanes = List.copyOf(dataplanes);
    nodes = Map.copyOf(nodes);
    nodeDataplanes = Map.copyOf(nodeDataplanes);
    kubeProxies = Map.copyOf(kubeProxies);
    recentDigests = Set.copyOf(recentDigests);
  }

  /** The kube-proxy that a resource names, if it is there. */
  public Optional<KubeProxyView> kubeProxyOf(ProxyDataplane dataplane) {
    return Optional.ofNullable(kubeProxies.get(DaemonSetRef.of(dataplane.getSpec().kubeProxy)));
  }

  /** The same with other Nodes. */
  public ClusterView withNodes(Map<String, NodeView> others) {
    return new ClusterView(
        now, dataplanes, others, nodeDataplanes, kubeProxies, recentDigests, probe);
  }
}
