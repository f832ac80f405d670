// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuleTest {
  /** What was written, and what iptables-save made of it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-j MARK --or-mark 0x4000 | -j MARK --set-xmark 0x4000/0x4000",
        "-j MARK --xor-mark 0x4000 | -j MARK --set-xmark 0x4000/0x0",
        "-m comment --comment \"a b\" -m tcp -p tcp -d 10.96.0.50 --dport 80 -j X"
            + "| -d 10.96.0.50/32 -p tcp -m comment --comment \"a b\" -m tcp --dport 80 -j X",
        "-m tcp -p tcp -d 10.0.0.1 --dport 80 ! -s 10.244.0.0/16 -j X"
            + "| ! -s 10.244.0.0/16 -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j X",
        "-m statistic --mode random --probability 0.3333333333 -j X"
            + "| -m statistic --mode random --probability 0.33333333349 -j X",
        "-m statistic --mode nth --every 3 --packet 0 -j X"
            + "| -m statistic --mode nth --every 3 -j X",
        "-d fd00::1 -j REJECT | -d fd00::1/128 -j REJECT --reject-with icmp6-port-unreachable",
        "-m conntrack --ctstate INVALID -j DROP"
            + "| -m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_inv -j DROP",
        "-m recent --name X --rcheck --seconds 10800 --reap -j X"
            + "| -m recent --rcheck --seconds 10800 --reap --name X --mask 255.255.255.255"
            + " --rsource -j X"
      })
  void whatReadsBackDifferentlyIsTheSame(String written, String read) {
    assertThat(Rule.parse(read).hash()).isEqualTo(Rule.parse(written).hash());
    assertThat(Rule.parse(read)).hasToString(Rule.parse(written).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-s 10.0.0.1 -j X | ! -s 10.0.0.1 -j X",
        "-s 10.0.0.1 -j X | -d 10.0.0.1 -j X",
        "-s 10.0.0.0/31 -j X | -s 10.0.0.0 -j X",
        "--mode random --probability 0.5 -j X | --mode random --probability 0.51 -j X",
        "--probability 0.001 -j X | --probability 0.000999 -j X",
        "-j X | -j Y"
      })
  void whatDiffersIsNotTheSame(String one, String other) {
    assertThat(Rule.parse(one).hash()).isNotEqualTo(Rule.parse(other).hash());
  }

  @Test
  void quotedWordsStayTogether() {
    Rule rule = Rule.parse("-m comment --comment \"say \\\"-j X\\\" ! -s\" -j Y");
    assertThat(rule.comment()).isEqualTo("say \"-j X\" ! -s");
    assertThat(rule.target()).isEqualTo("Y");
    assertThat(rule.get("-s")).isNull();
  }

  /** More arguments than most rules have, one of them twice, and values of several words. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--i 1 --h 2 --g 3 --f 4 --e 5 --d 6 --c 7 --b 8 --a 9"
            + "| --a 9 --b 8 --c 7 --d 6 --e 5 --f 4 --g 3 --h 2 --i 1",
        "-j X -j Y | -j Y",
        "-j LOG --log-prefix \"-s 1 !\"  --tcp-flags  SYN,ACK   SYN -s 2 | --log-prefix -s 1 !"
            + " --tcp-flags SYN,ACK SYN -j LOG -s 2",
        "! -s 1 -j \"\" | ! -s 1 -j",
        "! | ''",
        "-j | -j"
      })
  void argumentsStandInTheOrderOfTheirNames(String text, String ordered) {
    assertThat(Rule.parse(text)).hasToString(ordered);
  }
}
