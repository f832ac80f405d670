// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * A Node as the planners see it.
 *
 * @param uid what owns the node's NodeDataplane
 * @param readySince when {@code ready} last changed
 * @param leaving whether the Node is being deleted or tainted for removal by an autoscaler
 */
public record NodeView(
    String name,
    String uid,
    Map<String, String> labels,
    String os,
    boolean ready,
    Instant readySince,
    boolean leaving) {
  /** Taints that announce a node's removal, by cluster-autoscaler and Karpenter. */
  public static final Set<String> REMOVAL_TAINTS =
      Set.of(
          "ToBeDeletedByClusterAutoscaler",
          "karpenter.sh/disruption",
          "karpenter.sh/disrupted",
          "node.cloudprovider.kubernetes.io/shutdown",
          "node.kubernetes.io/out-of-service");

  /** Takes a copy. */
  public NodeView {
    labels = Map.copyOf(labels);
  }

  /** Whether this is a Linux node: only those are ruled. */
  public boolean linux() {
    return os.equals("linux");
  }

  /** Whether the node carries kube-proxy's label. */
  public boolean labelled() {
    return Names.KUBE_PROXY_ON.equals(labels.get(Names.KUBE_PROXY_LABEL));
  }

  /** That time, or when the node got Ready if that was later; its clock may be ahead of now. */
  Instant readyAfter(Instant since, Instant now) {
    return ready && readySince.isAfter(since) && !readySince.isAfter(now) ? readySince : since;
  }

  /** Whether the node has every label of the selector. */
  public boolean selectedBy(Map<String, String> selector) {
    return selector.entrySet().stream()
        .allMatch(wanted -> wanted.getValue().equals(labels.get(wanted.getKey())));
  }
}
