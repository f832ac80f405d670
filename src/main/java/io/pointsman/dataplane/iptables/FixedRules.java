// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.iptables.ChainNames.EXTERNAL_SERVICES;
import static io.pointsman.dataplane.iptables.ChainNames.FIREWALL;
import static io.pointsman.dataplane.iptables.ChainNames.FORWARD;
import static io.pointsman.dataplane.iptables.ChainNames.MARK_MASQ;
import static io.pointsman.dataplane.iptables.ChainNames.NODE_PORTS;
import static io.pointsman.dataplane.iptables.ChainNames.POSTROUTING;
import static io.pointsman.dataplane.iptables.ChainNames.PROXY_FIREWALL;
import static io.pointsman.dataplane.iptables.ChainNames.SERVICES;

import java.util.List;
import java.util.Map;

/** The chains and jumps that are there whatever Services there are, as kube-proxy writes them. */
final class FixedRules {
  /**
   * Chains whose rules never change; no other program uses the mark 0x4000 (kube-proxy's bit 14).
   */
  static final Map<Table, Map<String, List<String>>> CHAINS =
      Map.of(
          Table.NAT,
          Map.of(
              MARK_MASQ,
              List.of("-j MARK --or-mark 0x4000"),
              POSTROUTING,
              List.of(
                  "-m mark ! --mark 0x4000/0x4000 -j RETURN",
                  "-j MARK --xor-mark 0x4000",
                  "-m comment --comment \"kubernetes service traffic requiring SNAT\""
                      + " -j MASQUERADE --random-fully")),
          Table.FILTER,
          Map.of(
              FORWARD,
              List.of(
                  "-m conntrack --ctstate INVALID -j DROP",
                  "-m comment --comment \"kubernetes forwarding rules\""
                      + " -m mark --mark 0x4000/0x4000 -j ACCEPT",
                  "-m comment --comment \"kubernetes forwarding conntrack rule\""
                      + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
              NODE_PORTS,
              List.of(),
              PROXY_FIREWALL,
              List.of()));

  /** Every match and target that rules need, those of Services included. */
  static final List<String> EXAMPLES =
      List.of(
          "-m comment --comment x -m conntrack --ctstate NEW -m addrtype --dst-type LOCAL -j REJECT",
          "-m tcp -p tcp --dport 1 -m statistic --mode nth --every 2 --packet 0 -j DNAT"
              + " --to-destination :1",
          "-m udp -p udp --dport 1 -m mark --mark 1/1 -j MARK --or-mark 1",
          "-j MASQUERADE --random-fully");

  /** What only Services of SCTP need. */
  static final List<String> SCTP_EXAMPLE = List.of("-m sctp -p sctp --dport 1 -j ACCEPT");

  /** Chains that hold a rule for each frontend. */
  static final Map<Table, List<String>> SHARED =
      Map.of(
          Table.NAT,
          List.of(SERVICES, NODE_PORTS),
          Table.FILTER,
          List.of(SERVICES, EXTERNAL_SERVICES));

  /** Keeps others from what listens on loopback only, once route_localnet lets packets there. */
  static final String LOOPBACK_GUARD =
      "! -s 127.0.0.0/8 -d 127.0.0.0/8"
          + " -m comment --comment \"block incoming localnet connections\""
          + " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";

  /** Of IPv4. The chain is the kubelet's, which may have rules of its own there, or none at all. */
  static final List<Jump> LOOPBACK_GUARDS =
      List.of(
          new Jump(Table.FILTER, FIREWALL, LOOPBACK_GUARD, false),
          new Jump(Table.FILTER, "INPUT", "-j " + FIREWALL, false),
          new Jump(Table.FILTER, "OUTPUT", "-j " + FIREWALL, false));

  private static final String NEW = "-m conntrack --ctstate NEW ";

  /** Each is put before what is there already, so that they end in the order of kube-proxy's. */
  static final List<Jump> JUMPS =
      List.of(
          door("INPUT", NEW, "kubernetes externally-visible service portals", EXTERNAL_SERVICES),
          door("FORWARD", NEW, "kubernetes externally-visible service portals", EXTERNAL_SERVICES),
          door("INPUT", "", "kubernetes health check service ports", NODE_PORTS),
          door("FORWARD", NEW, "kubernetes service portals", SERVICES),
          door("OUTPUT", NEW, "kubernetes service portals", SERVICES),
          new Jump(
              Table.FILTER,
              "FORWARD",
              "-m comment --comment \"kubernetes forwarding rules\" -j " + FORWARD,
              false),
          door("INPUT", NEW, "kubernetes load balancer firewall", PROXY_FIREWALL),
          door("OUTPUT", NEW, "kubernetes load balancer firewall", PROXY_FIREWALL),
          door("FORWARD", NEW, "kubernetes load balancer firewall", PROXY_FIREWALL),
          new Jump(
              Table.NAT,
              "OUTPUT",
              "-m comment --comment \"kubernetes service portals\" -j " + SERVICES,
              true),
          new Jump(
              Table.NAT,
              "PREROUTING",
              "-m comment --comment \"kubernetes service portals\" -j " + SERVICES,
              true),
          new Jump(
              Table.NAT,
              "POSTROUTING",
              "-m comment --comment \"kubernetes postrouting rules\" -j " + POSTROUTING,
              false));

  private FixedRules() {}

  /** How many rules there are whatever Services there are, that of the state included. */
  static int count() {
    int chains =
        CHAINS.values().stream()
            .flatMap(table -> table.values().stream())
            .mapToInt(List::size)
            .sum();
    return chains + JUMPS.size() + 1;
  }

  /**
   * A rule of a built-in chain.
   *
   * @param rule what stands behind {@code -A CHAIN}
   * @param door whether only new flows need it; the others serve established ones too
   */
  record Jump(Table table, String from, String rule, boolean door) {
    Rule parsed() {
      return Rule.parse(rule);
    }
  }

  private static Jump door(String from, String match, String words, String to) {
    return new Jump(
        Table.FILTER, from, match + "-m comment --comment \"" + words + "\" -j " + to, true);
  }
}
