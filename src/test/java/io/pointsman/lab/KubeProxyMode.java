// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

/** The mode that the lab's kube-proxy starts in. */
public enum KubeProxyMode {
  IPTABLES("iptables"),
  NFTABLES("nftables"),
  /** Needs a kernel with ip_vs. */
  IPVS("ipvs");

  private final String configuration;

  KubeProxyMode(String configuration) {
    this.configuration = configuration;
  }

  /** The value as kube-proxy's configuration file names it. */
  public String configuration() {
    return configuration;
  }
}
