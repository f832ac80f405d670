// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeadRulesTest {
  private static final String JUMP = "-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-A";
  private static final String REFUSAL = "-A KUBE-SERVICES -d 10.96.0.1/32 -j REJECT";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-j RETURN",
        "-j ACCEPT",
        "-j DROP",
        "-g OTHERS",
        "-m comment --comment word -j RETURN",
        "-m comment --comment \"two \\\"words\\\"\" -j RETURN"
      })
  void whatNothingComesBehindIsTold(String rule) {
    assertThat(sentences("*nat", "-A KUBE-SERVICES " + rule, JUMP))
        .containsExactly(
            "nat KUBE-SERVICES ends at a foreign rule, '" + rule + "', before kube-proxy's");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-s 10.1.2.3/32 -j RETURN",
        "-p tcp -m tcp --dport 80 -j DROP",
        "-m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-m comment --comment \"-j RETURN\" -m limit --limit 1/sec -j DROP",
        "-j OTHERS",
        "-j MARK --set-xmark 0x4000/0x4000"
      })
  void whatSomePacketsPassIsNot(String rule) {
    assertThat(sentences("*nat", "-A KUBE-SERVICES " + rule, JUMP)).isEmpty();
  }

  @Test
  void whatStandsBehindKubeProxysRulesHarmsNone() {
    assertThat(
            sentences(
                "*nat", JUMP, "-A KUBE-SERVICES -j RETURN", "-A KUBE-SERVICES -s 10.0.0.1 -j DROP"))
        .isEmpty();
    assertThat(sentences("*filter", REFUSAL, "-A KUBE-SERVICES -j ACCEPT")).isEmpty();
  }

  @Test
  void otherChainsAndTablesAreNotLookedAt() {
    assertThat(
            sentences(
                "*mangle",
                "-A KUBE-SERVICES -j DROP",
                JUMP,
                "*nat",
                "-A KUBE-OTHER -j RETURN",
                "-A KUBE-OTHER -j KUBE-SVC-A",
                "-A PREROUTING -j RETURN",
                JUMP))
        .isEmpty();
  }

  /** All packets pass the chains of the table filter, whatever kube-proxy has there. */
  @Test
  void inFilterAllIsRefusedWhereverTheRuleStands() {
    assertThat(sentences("*filter", REFUSAL, "-A KUBE-SERVICES -j DROP"))
        .containsExactly("filter KUBE-SERVICES refuses all by a foreign rule, '-j DROP'");
  }

  /** What accepts all early serves nobody worse where kube-proxy's rules accept as well. */
  @Test
  void inFilterOnlyRefusalsAreMissed() {
    assertThat(
            sentences(
                "*filter",
                "-A KUBE-FORWARD -j ACCEPT",
                "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
                "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT"))
        .isEmpty();
    assertThat(sentences("*filter", "-A KUBE-SERVICES -j ACCEPT", REFUSAL)).hasSize(1);
  }

  private static List<String> sentences(String... lines) {
    DeadRules rules =
        new DeadRules(
            Map.of(
                "nat", Set.of("KUBE-SERVICES"), "filter", Set.of("KUBE-SERVICES", "KUBE-FORWARD")));
    for (String line : lines) {
      rules.accept(line);
    }
    return rules.sentences();
  }
}
