// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Edges of IPVS, as {@link EdgesTest} has those of the others. */
public class IpvsEdgesInside {
  private @Nullable EdgeWalk walk;

  @AfterEach
  void down() {
    if (walk != null) {
      walk.close();
    }
  }

  @TestFactory
  List<DynamicTest> amongKubeProxyIpvsIpvsAndBpf() {
    walk = from(KubeProxyMode.IPVS);
    return walk.through(LinuxDataplane.IPVS, LinuxDataplane.BPF, LinuxDataplane.IPVS, null);
  }

  @TestFactory
  List<DynamicTest> amongKubeProxyIpvsIptablesIpvsAndBpf() {
    walk = from(KubeProxyMode.IPVS);
    return walk.through(
        LinuxDataplane.IPTABLES,
        LinuxDataplane.IPVS,
        LinuxDataplane.IPTABLES,
        null,
        LinuxDataplane.BPF,
        null);
  }

  @TestFactory
  List<DynamicTest> betweenKubeProxyIptablesAndIpvs() {
    walk = from(KubeProxyMode.IPTABLES);
    return walk.through(LinuxDataplane.IPVS, null);
  }

  private static EdgeWalk from(KubeProxyMode mode) {
    return new EdgeWalk(
        LabOptions.named("edges-ipvs").withKubeProxyMode(mode).withNodes(1), Pace.SLOW);
  }
}
