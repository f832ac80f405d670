// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Every edge between kube-proxy and the dataplanes that this kernel has, each in both directions,
 * under load: no new connection fails, and flows that began before the first edge live to the end.
 */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@OnlyInLab("the load from outside needs the lab's client")
class EdgesTest {
  /** New connections of one of the two walks: over the whole matrix 100,000. */
  private static final long CONNECTIONS = 50_000;

  /** So many that they are there when the edges are. */
  private static final Pace PACE = Pace.FULL.at(150);

  private @Nullable EdgeWalk walk;

  @AfterEach
  void down() {
    if (walk != null) {
      walk.close();
    }
  }

  @TestFactory
  List<DynamicTest> amongKubeProxyIptablesAndBpf() {
    walk = new EdgeWalk(LabOptions.named("edges"), PACE, CONNECTIONS);
    return walk.through(
        LinuxDataplane.IPTABLES,
        LinuxDataplane.BPF,
        null,
        LinuxDataplane.BPF,
        LinuxDataplane.IPTABLES,
        null);
  }

  /** This kube-proxy deletes all rules of the iptables mode as it starts: ADR 8. */
  @TestFactory
  List<DynamicTest> amongKubeProxyNftablesAndBpf() {
    walk =
        new EdgeWalk(
            LabOptions.named("edges-nft").withKubeProxyMode(KubeProxyMode.NFTABLES).withNodes(2),
            PACE,
            CONNECTIONS);
    return walk.through(
        LinuxDataplane.IPTABLES,
        LinuxDataplane.BPF,
        null,
        LinuxDataplane.BPF,
        null,
        LinuxDataplane.IPTABLES,
        null);
  }
}
