// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The walks of {@link StockKernelTest}, a class for each. */
public final class StockKernelInside {
  private StockKernelInside() {}

  /** From a kube-proxy in iptables mode. */
  public static class Iptables {
    private final EdgeWalk walk = walk(KubeProxyMode.IPTABLES);

    @TestFactory
    List<DynamicTest> there() {
      return walk.through(LinuxDataplane.IPTABLES, LinuxDataplane.BPF, LinuxDataplane.IPVS, null);
    }

    @AfterEach
    void down() {
      walk.close();
    }
  }

  /** From a kube-proxy in nftables mode, which deletes the rules of the others as it starts. */
  public static class Nftables {
    private final EdgeWalk walk = walk(KubeProxyMode.NFTABLES);

    @TestFactory
    List<DynamicTest> there() {
      return walk.through(
          LinuxDataplane.BPF,
          LinuxDataplane.IPTABLES,
          LinuxDataplane.IPVS,
          LinuxDataplane.BPF,
          null);
    }

    @AfterEach
    void down() {
      walk.close();
    }
  }

  /** From a kube-proxy in ipvs mode. */
  public static class Ipvs {
    private final EdgeWalk walk = walk(KubeProxyMode.IPVS);

    @TestFactory
    List<DynamicTest> there() {
      return walk.through(LinuxDataplane.IPVS, LinuxDataplane.BPF, LinuxDataplane.IPTABLES, null);
    }

    @AfterEach
    void down() {
      walk.close();
    }
  }

  private static EdgeWalk walk(KubeProxyMode mode) {
    return new EdgeWalk(
        LabOptions.named("kernels").withKubeProxyMode(mode).withNodes(1), Pace.SLOW);
  }
}
