// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** On nodes whose rules are not where one would look first. */
class RulePlacesTest {
  @Test
  void rulesOfIpv6CountToo() {
    try (KernelSandbox node = new KernelSandbox()) {
      Map<Variant, Long> weights =
          node.inNamespace(
              () -> {
                CommandRunner commands = new CommandRunner();
                for (String rule :
                    List.of(
                        "iptables-nft -A INPUT -j ACCEPT",
                        "ip6tables-legacy -t nat -N KUBE-SERVICES",
                        "ip6tables-legacy -t nat -A PREROUTING -j KUBE-SERVICES")) {
                  commands.lines(rule.split(" ", -1));
                }
                return RulePlaces.look(IpvsOptions.defaults()).weights();
              });
      assertThat(weights.get(Variant.NFT)).as("a mixed node").isPositive();
      assertThat(weights.get(Variant.LEGACY)).isGreaterThan(weights.get(Variant.NFT));
    }
  }
}
