// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static io.pointsman.api.LinuxDataplane.BPF;
import static io.pointsman.api.LinuxDataplane.IPTABLES;
import static io.pointsman.api.LinuxDataplane.IPVS;

import io.pointsman.lab.KubeProxyMode;

/** The walks of {@link IpvsEdgesTest}, a class for each. */
public final class IpvsEdgesInside {
  private IpvsEdgesInside() {}

  /** Among kube-proxy(ipvs), IPVS and BPF, from where the way to IPVS is barred at first. */
  public static class AndBpf extends InnerWalk {
    AndBpf() {
      super(Pace.SLOW, KubeProxyMode.IPVS, IPVS, BPF, IPVS, null);
      barredBy(Obstacle.DEVICES_HAVE_NO_IPV6);
    }
  }

  /** Between IPVS and Iptables, and from a kube-proxy(ipvs) to others. */
  public static class AndIptables extends InnerWalk {
    AndIptables() {
      super(Pace.SLOW, KubeProxyMode.IPVS, IPTABLES, IPVS, IPTABLES, null, BPF, null);
    }
  }

  /** Between kube-proxy(iptables) and IPVS. */
  public static class AndKubeProxyIptables extends InnerWalk {
    AndKubeProxyIptables() {
      super(Pace.SLOW, KubeProxyMode.IPTABLES, IPVS, null);
    }
  }
}
