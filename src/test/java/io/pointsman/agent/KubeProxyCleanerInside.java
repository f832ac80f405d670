// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a kube-proxy in its ipvs mode left, in a kernel that has ip_vs. */
public class KubeProxyCleanerInside {
  @Test
  void virtualServersSetsRulesAndDeviceAreRemoved() {
    try (KernelSandbox node = new KernelSandbox()) {
      boolean clean = node.inNamespace(KubeProxyCleanerInside::clean);
      assertThat(clean).isTrue();
    }
  }

  /** Virtual servers stayed then, though the sets tell which are kube-proxy's. */
  @Test
  void virtualServersAreRemovedWhereTheDeviceHasGone() {
    try (KernelSandbox node = new KernelSandbox()) {
      boolean clean = node.inNamespace(KubeProxyCleanerInside::cleanWithoutDevice);
      assertThat(clean).isTrue();
    }
  }

  private static boolean cleanWithoutDevice() {
    CommandRunner commands = new CommandRunner();
    for (String command :
        List.of(
            "ipset create KUBE-CLUSTER-IP hash:ip,port",
            "ipset add KUBE-CLUSTER-IP 10.96.0.1,tcp:80",
            "ipvsadm -A -t 10.96.0.1:80 -s rr",
            // keepalived's
            "ipvsadm -A -t 203.0.113.9:80 -s wlc")) {
      commands.lines(command.split(" ", -1));
    }
    assertThat(new KubeProxyCleaner(commands).clean(LinuxDataplane.BPF)).isEmpty();
    assertThat(commands.lines("ipvsadm", "-Sn")).containsExactly("-A -t 203.0.113.9:80 -s wlc");
    return true;
  }

  private static boolean clean() {
    CommandRunner commands = new CommandRunner();
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.1/32 dev kube-ipvs0",
            "ipset create KUBE-CLUSTER-IP hash:ip,port",
            "ipset add KUBE-CLUSTER-IP 10.96.0.1,tcp:80",
            "ipvsadm -A -t 10.96.0.1:80 -s rr",
            "iptables-legacy -t nat -N KUBE-SERVICES",
            "iptables-legacy -t nat -A PREROUTING -j KUBE-SERVICES",
            "iptables-legacy -t nat -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst"
                + " -j ACCEPT",
            "iptables-legacy -N KUBE-NODE-PORT")) {
      commands.lines(command.split(" ", -1));
    }
    KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);
    assertThat(cleaner.leftovers(LinuxDataplane.BPF))
        .contains("device kube-ipvs0", "ipset KUBE-CLUSTER-IP");
    assertThat(cleaner.entries(LinuxDataplane.BPF)).isEqualTo(2 + 1 + 1);
    assertThat(cleaner.clean(LinuxDataplane.BPF)).isEmpty();
    assertThat(commands.lines("ipvsadm", "-Sn")).isEmpty();
    assertThat(commands.lines("ip", "-o", "link")).noneMatch(link -> link.contains("kube-ipvs0"));
    return true;
  }
}
