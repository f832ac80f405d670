// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.OnlyNft;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cleans real netfilter tables in a network namespace. */
class KubeProxyCleanerTest {
  /** What kube-proxy, the kubelet, a CNI and a person have in one table each. */
  private static final String RULES =
      """
      *mangle
      :KUBE-PROXY-CANARY - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      COMMIT
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-NODEPORTS - [0:0]
      :KUBE-POSTROUTING - [0:0]
      :KUBE-MARK-MASQ - [0:0]
      :KUBE-PROXY-CANARY - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      :KUBE-SVC-CDGGSHYLG3RE2FKL - [0:0]
      :KUBE-SEP-7U6MWNJWR3SADOJA - [0:0]
      :KUBE-EXT-CDGGSHYLG3RE2FKL - [0:0]
      :CNI-1234 - [0:0]
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
      -A POSTROUTING -p tcp -m tcp --dport 99 -j CNI-1234
      -A KUBE-SERVICES -p tcp -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
      -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
      -A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-CDGGSHYLG3RE2FKL
      -A KUBE-EXT-CDGGSHYLG3RE2FKL -j KUBE-MARK-MASQ
      -A KUBE-EXT-CDGGSHYLG3RE2FKL -j KUBE-SVC-CDGGSHYLG3RE2FKL
      -A KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-7U6MWNJWR3SADOJA
      -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
      -A CNI-1234 -j MASQUERADE
      COMMIT
      *filter
      :KUBE-SERVICES - [0:0]
      :KUBE-EXTERNAL-SERVICES - [0:0]
      :KUBE-FORWARD - [0:0]
      :KUBE-NODEPORTS - [0:0]
      :KUBE-PROXY-FIREWALL - [0:0]
      :KUBE-PROXY-CANARY - [0:0]
      :KUBE-FIREWALL - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      -A INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
      -A INPUT -j KUBE-NODEPORTS
      -A INPUT -j KUBE-FIREWALL
      -A INPUT -p tcp -m tcp --dport 22 -m comment --comment "mine -j KUBE-SERVICES not" -j ACCEPT
      -A FORWARD -j KUBE-FORWARD
      -A OUTPUT -m conntrack --ctstate NEW -j KUBE-SERVICES
      -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
      -A KUBE-FIREWALL -s 203.0.113.0/24 -j DROP
      COMMIT
      """;

  private static final List<String> FOREIGN =
      List.of(
          ":KUBE-KUBELET-CANARY - [0:0]",
          ":CNI-1234 - [0:0]",
          ":KUBE-FIREWALL - [0:0]",
          "-A INPUT -j KUBE-FIREWALL",
          "-A CNI-1234 -j MASQUERADE",
          "-A POSTROUTING -p tcp -m tcp --dport 99 -j CNI-1234");

  @ParameterizedTest
  @ValueSource(strings = {"nft", "legacy"})
  void whatKubeProxyLeftIsGoneAndNothingElse(String variant) {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-" + variant)) {
      CommandRunner commands = namespace.commands();
      String v6 = RULES.replace("203.0.113.0/24", "2001:db8::/32");
      restore(commands, "iptables-" + variant, RULES);
      restore(commands, "ip6tables-" + variant, v6);
      KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);
      assertThat(cleaner.leftovers(LinuxDataplane.BPF))
          .contains(
              "iptables-" + variant + ": chain nat KUBE-SVC-CDGGSHYLG3RE2FKL",
              "ip6tables-" + variant + ": chain filter KUBE-FORWARD",
              "iptables-" + variant + ": chain mangle KUBE-PROXY-CANARY")
          .hasSize(2 * 15);

      assertThat(cleaner.clean(LinuxDataplane.BPF)).isEmpty();

      for (String program : List.of("iptables-" + variant, "ip6tables-" + variant)) {
        List<String> left = commands.lines(program + "-save");
        assertThat(left).containsAll(FOREIGN);
        assertThat(left.stream().filter(line -> line.contains("KUBE-")))
            .allMatch(
                line ->
                    line.contains("KUBE-KUBELET-CANARY")
                        || line.contains("KUBE-FIREWALL")
                        || line.contains("mine -j KUBE-SERVICES not"));
      }
      assertThat(cleaner.clean(LinuxDataplane.BPF)).as("nothing is left to do").isEmpty();
    }
  }

  /**
   * Writes rules and the table of all modes.
   *
   * @param ipvs whether IPVS or an ipvs mode has written the chain that it shares with the iptables
   *     mode anew by now
   */
  private static void leaveOfAllModes(CommandRunner commands, boolean ipvs) {
    String rules = RULES.replace("*nat\n", "*nat\n:KUBE-NODE-PORT - [0:0]\n");
    restore(commands, "iptables-nft", ipvs ? rules.replaceAll("-A KUBE-SERVICES .*\n", "") : rules);
    commands.lines("nft", "add", "table", "ip", "kube-proxy");
  }

  @ParameterizedTest
  @CsvSource({
    "IPTABLES, KUBE-SVC-CDGGSHYLG3RE2FKL KUBE-SERVICES KUBE-POSTROUTING, KUBE-NODE-PORT",
    "IPVS, KUBE-SERVICES KUBE-POSTROUTING KUBE-NODE-PORT, KUBE-SVC-CDGGSHYLG3RE2FKL"
  })
  void whatTheServingDataplaneUsesStays(LinuxDataplane serving, String stays, String goes) {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-serving")) {
      CommandRunner commands = namespace.commands();
      leaveOfAllModes(commands, serving == LinuxDataplane.IPVS);

      assertThat(new KubeProxyCleaner(commands).clean(serving)).isEmpty();

      assertThat(commands.lines("iptables-nft-save", "-t", "nat"))
          .filteredOn(line -> line.startsWith(":KUBE-"))
          .extracting(line -> line.substring(1, line.indexOf(' ')))
          .contains(stays.split(" "))
          .doesNotContain(goes);
      // Else Iptables would take its own chains for those of a kube-proxy that is there again.
      assertThat(commands.lines("iptables-nft-save"))
          .noneMatch(line -> line.startsWith(":KUBE-PROXY-CANARY"));
      assertThat(commands.lines("nft", "list", "tables")).doesNotContain("table ip kube-proxy");
    }
  }

  @Test
  void aChainThatSomebodyElseUsesStaysAndWorks() {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-used")) {
      CommandRunner commands = namespace.commands();
      restore(
          commands,
          "iptables-nft",
          RULES.replace("-A CNI-1234 -j MASQUERADE", "-A CNI-1234 -j KUBE-MARK-MASQ"));

      assertThat(new KubeProxyCleaner(commands).clean(LinuxDataplane.BPF)).isEmpty();

      assertThat(commands.lines("iptables-nft-save"))
          .contains(
              "-A CNI-1234 -j KUBE-MARK-MASQ",
              "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
              "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\""
                  + " -j KUBE-POSTROUTING")
          .noneMatch(line -> line.startsWith(":KUBE-SVC-"));
    }
  }

  @Test
  void whatAUsedChainLeadsToStays() {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-led")) {
      CommandRunner commands = namespace.commands();
      restore(
          commands,
          "iptables-nft",
          RULES.replace("-A CNI-1234 -j MASQUERADE", "-A CNI-1234 -j KUBE-EXT-CDGGSHYLG3RE2FKL"));

      assertThat(new KubeProxyCleaner(commands).clean(LinuxDataplane.BPF)).isEmpty();

      assertThat(commands.lines("iptables-nft-save"))
          .contains(
              "-A KUBE-EXT-CDGGSHYLG3RE2FKL -j KUBE-SVC-CDGGSHYLG3RE2FKL",
              "-A KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-7U6MWNJWR3SADOJA")
          .noneMatch(line -> line.startsWith(":KUBE-NODEPORTS"));
    }
  }

  /** iptables-save leaves out the whole table, and nobody would know that chains are in it. */
  @Test
  void whatOnlyNftShowsIsNamedUntilItCanBeRemoved() {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-hidden")) {
      CommandRunner commands = namespace.commands();
      restore(commands, "iptables-nft", RULES);
      commands.lines("nft", OnlyNft.hides("ip filter"));
      KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);

      assertThat(cleaner.clean(LinuxDataplane.BPF))
          .isNotEmpty()
          .allMatch(left -> left.startsWith("chain ip filter KUBE-"))
          .noneMatch(left -> left.contains("KUBE-FIREWALL"));

      commands.lines("nft", OnlyNft.shows("ip filter"));
      assertThat(cleaner.clean(LinuxDataplane.BPF)).isEmpty();
      assertThat(commands.lines("iptables-nft-save"))
          .noneMatch(line -> line.startsWith(":KUBE-SERVICES"));
    }
  }

  @Test
  void nftablesModeIsRemovedByItsTables() {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-nft")) {
      CommandRunner commands = namespace.commands();
      for (String table : List.of("ip kube-proxy", "ip6 kube-proxy", "inet mine")) {
        List<String> command = new ArrayList<>(List.of("nft", "add", "table"));
        command.addAll(List.of(table.split(" ", -1)));
        commands.run(command, "", line -> {});
      }
      KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);
      assertThat(cleaner.leftovers(LinuxDataplane.BPF))
          .containsExactly("nftables: table ip kube-proxy", "nftables: table ip6 kube-proxy");
      assertThat(cleaner.clean(LinuxDataplane.BPF)).isEmpty();
      assertThat(commands.lines("nft", "list", "tables")).contains("table inet mine");
    }
  }

  @Test
  void setsOfIpvsModeAreRemovedAndOthersStay() {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-ipset")) {
      CommandRunner commands = namespace.commands();
      for (String set :
          List.of("KUBE-CLUSTER-IP", "KUBE-6-NODE-PORT-LOCAL-SCTP-HAS", "KUBE-MINE")) {
        commands.lines("ipset", "create", set, "hash:ip");
      }
      KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);
      assertThat(cleaner.leftovers(LinuxDataplane.BPF))
          .containsExactlyInAnyOrder(
              "ipset KUBE-CLUSTER-IP", "ipset KUBE-6-NODE-PORT-LOCAL-SCTP-HAS");
      for (String member :
          List.of(
              "KUBE-CLUSTER-IP 10.96.0.1",
              "KUBE-CLUSTER-IP 10.96.0.2",
              "KUBE-6-NODE-PORT-LOCAL-SCTP-HAS 10.96.0.3",
              "KUBE-MINE 10.96.0.4")) {
        commands.lines(("ipset add " + member).split(" ", -1));
      }
      assertThat(cleaner.entries(LinuxDataplane.BPF)).isEqualTo(3);
      assertThat(cleaner.clean(LinuxDataplane.BPF)).isEmpty();
      assertThat(commands.lines("ipset", "list", "-n")).containsExactly("KUBE-MINE");
    }
  }

  /** What of all modes' is there once a kube-proxy runs in one of them. */
  @ParameterizedTest
  @CsvSource({
    "IPTABLES, KUBE-SVC-CDGGSHYLG3RE2FKL, 'chain nat KUBE-NODE-PORT|table ip kube-proxy|ipset KUBE-CLUSTER-IP'",
    "NFTABLES, table ip kube-proxy, 'chain nat KUBE-SVC-CDGGSHYLG3RE2FKL|chain nat KUBE-NODE-PORT|ipset KUBE-CLUSTER-IP'",
    "IPVS, KUBE-NODE-PORT|ipset|KUBE-SERVICES, 'chain nat KUBE-SVC-CDGGSHYLG3RE2FKL|chain filter KUBE-EXTERNAL-SERVICES|table ip kube-proxy'"
  })
  void whatOtherModesThanTheRunningOneHaveLeftIsFound(
      KubeProxyMode running, String own, String left) {
    try (NetworkNamespace namespace = new NetworkNamespace("clean-modes")) {
      CommandRunner commands = namespace.commands();
      leaveOfAllModes(commands, running == KubeProxyMode.IPVS);
      commands.lines("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
      List<String> found = new KubeProxyCleaner(commands).leftovers(running);
      for (String each : left.split("\\|", -1)) {
        assertThat(found).anyMatch(it -> it.endsWith(each));
      }
      for (String each : own.split("\\|", -1)) {
        assertThat(found).noneMatch(it -> it.contains(each));
      }
    }
  }

  private static void restore(CommandRunner commands, String program, String rules) {
    commands.run(List.of(program + "-restore"), rules, line -> {});
  }
}
