// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static io.pointsman.api.LinuxDataplane.BPF;
import static io.pointsman.api.LinuxDataplane.IPTABLES;
import static io.pointsman.api.LinuxDataplane.IPVS;

import io.pointsman.lab.KubeProxyMode;

/** The walks of {@link StockKernelTest}, a class for each. */
public final class StockKernelInside {
  private StockKernelInside() {}

  /** From a kube-proxy in iptables mode. */
  public static class Iptables extends InnerWalk {
    Iptables() {
      super(Pace.EMULATED, KubeProxyMode.IPTABLES, IPTABLES, BPF, IPVS, null);
    }
  }

  /** From a kube-proxy in nftables mode, which deletes the rules of the others as it starts. */
  public static class Nftables extends InnerWalk {
    Nftables() {
      super(Pace.EMULATED, KubeProxyMode.NFTABLES, IPVS, null, IPTABLES, BPF, null);
    }
  }

  /** From a kube-proxy in ipvs mode. */
  public static class Ipvs extends InnerWalk {
    Ipvs() {
      super(Pace.EMULATED, KubeProxyMode.IPVS, IPVS, BPF, IPTABLES, null);
    }
  }
}
