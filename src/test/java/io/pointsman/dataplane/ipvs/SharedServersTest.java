// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import org.junit.jupiter.api.Test;

/** What tells that a kube-proxy in its ipvs mode works with the same virtual servers. */
class SharedServersTest {
  /** A sync begins with its chains, and may fail at a set, again and again. */
  @Test
  void onlyASyncThatHasEndedTells() {
    CommandRunner commands = new CommandRunner();
    Rules rules =
        new Rules(new Iptables(commands, Family.IPV4, Variant.NFT), IpvsOptions.defaults());
    try (KernelSandbox node = new KernelSandbox()) {
      node.runInNamespace(
          () -> {
            assertThat(rules.sharedWithKubeProxy()).isFalse();
            commands.lines("iptables-nft", "-N", "KUBE-NODE-PORT");
            commands.lines("iptables-nft", "-A", "INPUT", "-j", "KUBE-NODE-PORT");
            assertThat(rules.sharedWithKubeProxy()).isFalse();
            String set = "KUBE-HEALTH-CHECK-NODE-PORT";
            commands.lines("ipset", "create", set, "bitmap:port", "range", "0-65535");
            String rule = "-A KUBE-NODE-PORT -m set --match-set " + set + " dst -j ACCEPT";
            commands.lines(("iptables-nft " + rule).split(" ", -1));
            assertThat(rules.sharedWithKubeProxy()).isTrue();
          });
    }
  }
}
