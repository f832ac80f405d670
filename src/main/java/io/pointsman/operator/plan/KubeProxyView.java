// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A kube-proxy DaemonSet as the planners see it.
 *
 * @param nodeSelector of its pod template
 * @param observed whether the DaemonSet controller has acted on the present pod template
 * @param selectorRemover the field manager that last wrote the template and is not the operator
 * @param updates who decides whether its pods are replaced
 * @param pods the state of its pods by node
 */
public record KubeProxyView(
    Map<String, String> nodeSelector,
    boolean observed,
    @Nullable String selectorRemover,
    PodUpdates updates,
    Map<String, PodState> pods) {
  /** Takes copies. */
  public KubeProxyView {
    nodeSelector = Map.copyOf(nodeSelector);
    pods = Map.copyOf(pods);
  }

  /** Whether the DaemonSet leaves nodes that do not carry the label. */
  public boolean selectorHeld() {
    return Names.KUBE_PROXY_ON.equals(nodeSelector.get(Names.KUBE_PROXY_LABEL));
  }

  /** Whether anything of the operator's is in it. */
  public boolean touched() {
    return selectorHeld() || updates != PodUpdates.OWN;
  }

  /** The same with the name of who removed the selector. */
  public KubeProxyView withRemover(@Nullable String remover) {
    return new KubeProxyView(nodeSelector, observed, remover, updates, pods);
  }

  /** The pod on a node. */
  public Optional<PodState> pod(String node) {
    return Optional.ofNullable(pods.get(node));
  }
}
