// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.IpFamily;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SavedChainTest {
  private static final String NONE = "none";

  /** Rules behind the one that translates see no packet. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "KUBE-SEP-A | -s 10.0.0.1/32 -j KUBE-MARK-MASQ;"
            + " -p tcp -j DNAT --to-destination 10.0.0.1:80 | "
            + NONE,
        "KUBE-SEP-A | -s fd00::1/128 -j KUBE-MARK-MASQ;"
            + " -p tcp -j DNAT --to-destination [fd00::1]:80 | "
            + NONE,
        "KUBE-SEP-A | -s 10.0.0.2/32 -j KUBE-MARK-MASQ;"
            + " -p tcp -j DNAT --to-destination 10.0.0.1:80"
            + " | does not masquerade what the endpoint sends to itself",
        "KUBE-SEP-A | -p tcp -j DNAT --to-destination 10.0.0.1:80;"
            + " -s 10.0.0.1/32 -j KUBE-MARK-MASQ"
            + " | does not masquerade what the endpoint sends to itself",
        "KUBE-SEP-A | -s 10.0.0.1/32 -j KUBE-MARK-MASQ | sends flows nowhere",
        "KUBE-SVC-A | -m statistic --mode random --probability 0.5 -j KUBE-SEP-A;"
            + " -j KUBE-SEP-B | "
            + NONE,
        "KUBE-SVC-A | -m statistic --mode random --probability 0.5 -j KUBE-SEP-A"
            + " | does not give every endpoint the same share",
        "KUBE-SVC-A | -m statistic --mode random --probability 0.5 -j KUBE-SEP-A;"
            + " -m statistic --mode nth --every 1 -j KUBE-SEP-B"
            + " | does not give every endpoint the same share",
        "KUBE-EXT-A | -j KUBE-MARK-MASQ; -j KUBE-SVC-A | " + NONE,
        "KUBE-EXT-A | -j KUBE-SVC-A | does not masquerade",
        "KUBE-EXT-A | -s 10.0.0.0/8 -j KUBE-SVC-A; -j KUBE-SVL-A | " + NONE
      })
  void aFlawIsNamed(String name, String rules, String flaw) {
    SavedTables tables = SavedTables.ofKubeProxy(IpFamily.IPV4);
    tables.accept("*nat");
    tables.accept(":" + name + " - [0:0]");
    for (String rule : rules.split("; *")) {
      tables.accept("-A " + name + " " + rule);
    }
    SavedChain chain = Objects.requireNonNull(tables.find(Table.NAT, name));
    assertThat(chain.unknown).isNull();
    assertThat(chain.flaw()).isEqualTo(flaw.equals(NONE) ? null : flaw);
  }
}
