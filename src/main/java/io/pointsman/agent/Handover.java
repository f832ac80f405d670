// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;

/** Who writes the chains that a dataplane has in common with kube-proxy (ADR 3, ADR 4). */
final class Handover {
  private Handover() {}

  /**
   * Whether the agent leaves the wanted dataplane's rules alone: it shares its chains with
   * kube-proxy, which is on the node, comes to it, or has not yet gone.
   */
  static boolean handsOff(NodeDataplaneSpec spec) {
    return spec.linuxDataplane != null
        && sharesChains(spec.linuxDataplane)
        && spec.kubeProxy != null
        && spec.kubeProxy != KubeProxyState.DETACHED;
  }

  /** Whether no kube-proxy is on the node, or none that anybody tells of. */
  static boolean alone(NodeDataplaneSpec spec) {
    return spec.kubeProxy == null || spec.kubeProxy == KubeProxyState.DETACHED;
  }

  static boolean sharesChains(LinuxDataplane kind) {
    return switch (kind) {
      case IPTABLES, IPVS -> true;
      case NFTABLES, BPF -> false;
    };
  }
}
