// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.Iptables.Variant;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Large tables are taken away bit by bit, and each bit is one that the kernel accepts. */
class ChainRemovalTest {
  private static final int SERVICES = 700;

  private final ScriptModel kernel = new ScriptModel();

  @ParameterizedTest
  @CsvSource({"NFT, 5", "LEGACY, 2"})
  void neverDeletesAChainThatARuleStillJumpsTo(Variant variant, int atLeast) throws IOException {
    ChainRemoval removal = new ChainRemoval(ChainRemoval.OF_KUBE_PROXY);
    saved().forEach(removal::accept);
    StringBuilder script = new StringBuilder();
    removal.script(variant).writeTo(script);
    script.toString().lines().forEach(kernel::carryOut);
    assertThat(kernel.chains.keySet()).isEqualTo(Set.of("PREROUTING", "MINE"));
    assertThat(kernel.chains.get("PREROUTING")).containsExactly("MINE");
    assertThat(kernel.commits).isBetween(atLeast, 2 * atLeast);
  }

  /** Services share an endpoint's chain with none, but all mark, and doors lead to some. */
  private List<String> saved() {
    List<String> lines = new ArrayList<>(List.of("*nat"));
    rule(lines, "PREROUTING", "KUBE-SERVICES");
    rule(lines, "PREROUTING", "MINE");
    rule(lines, "KUBE-SERVICES", "KUBE-NODEPORTS");
    for (int i = 0; i < SERVICES; i++) {
      rule(lines, "KUBE-SERVICES", "KUBE-SVC-" + i);
      rule(lines, "KUBE-NODEPORTS", "KUBE-EXT-" + i);
      rule(lines, "KUBE-EXT-" + i, "KUBE-SVC-" + i);
      rule(lines, "KUBE-EXT-" + i, "KUBE-MARK-MASQ");
      rule(lines, "KUBE-SVC-" + i, "KUBE-SEP-" + i);
      rule(lines, "KUBE-SEP-" + i, "KUBE-MARK-MASQ");
    }
    for (String chain : List.of("KUBE-MARK-MASQ", "MINE")) {
      kernel.chains.put(chain, new ArrayList<>());
    }
    List<String> declared = new ArrayList<>(new TreeSet<>(kernel.chains.keySet()));
    declared.replaceAll(chain -> ":" + chain + " - [0:0]");
    lines.addAll(1, declared);
    lines.add("COMMIT");
    return lines;
  }

  private void rule(List<String> lines, String chain, String target) {
    lines.add("-A " + chain + " -j " + target);
    kernel.rule(chain, target);
  }
}
