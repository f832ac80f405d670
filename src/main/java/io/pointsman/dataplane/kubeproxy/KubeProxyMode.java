// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import java.util.Locale;

/** The modes of kube-proxy. */
public enum KubeProxyMode {
  IPTABLES,
  NFTABLES,
  IPVS;

  /** As kube-proxy's {@code --proxy-mode} has it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
