// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The rules of one family, written as iptables-save writes them. They do not name Services, only
 * sets, so they stay as they are while Services come and go. Chains, marks and comments are
 * kube-proxy's of its ipvs mode; {@link #OWN_POSTROUTING} is Pointsman's.
 */
final class RulePlan {
  static final String NAT = "nat";
  static final String FILTER = "filter";
  static final String SERVICES = "KUBE-SERVICES";
  static final String OWN_POSTROUTING = "POINTSMAN-POSTROUTING";

  /** There while flows are handed over. */
  static final String MANGLE = "mangle";

  static final String HOLD = "POINTSMAN-HOLD";

  /** The chains that nobody else has, by table. */
  static final Map<String, Pattern> OWN =
      Map.of(NAT, Pattern.compile(OWN_POSTROUTING), MANGLE, Pattern.compile(HOLD));

  /** Every match and target that rules need; that of sets last, for it must name one. */
  static final List<String> EXAMPLES =
      List.of(
          "-m comment --comment x -m conntrack --ctstate NEW -m addrtype --dst-type LOCAL -j REJECT",
          "-m mark --mark 1/1 -j MARK --or-mark 1",
          "-j MASQUERADE --random-fully",
          "-m set --match-set POINTSMAN-PROBE src -j ACCEPT");

  static final String POSTROUTING = "KUBE-POSTROUTING";
  static final String NODE_PORT = "KUBE-NODE-PORT";
  static final String LOAD_BALANCER = "KUBE-LOAD-BALANCER";
  static final String MARK_MASQ = "KUBE-MARK-MASQ";
  static final String FORWARD = "KUBE-FORWARD";
  static final String IPVS_FILTER = "KUBE-IPVS-FILTER";
  private static final String TO_MARK = " -j " + MARK_MASQ;

  private final IpFamily family;
  private final IpvsOptions options;

  /** Chains with their rules, by table. */
  final Map<String, Map<String, List<String>>> chains = new LinkedHashMap<>();

  /** Rules of built-in chains that jump to ours, by table. */
  final Map<String, List<String>> jumps = new LinkedHashMap<>();

  private RulePlan(IpFamily family, IpvsOptions options) {
    this.family = family;
    this.options = options;
  }

  /**
   * What is there before the dataplane takes traffic: a node's own packet to an address of
   * kube-ipvs0 gets that address as its source; whoever serves it, it must not leave with it.
   */
  static RulePlan prepared(IpFamily family, IpvsOptions options) {
    RulePlan plan = new RulePlan(family, options);
    plan.chain(
        NAT,
        OWN_POSTROUTING,
        comment("service addresses as source")
            + plan.set(SetName.SERVICE_ADDRESSES, "src")
            + " -j MASQUERADE --random-fully");
    plan.jump(NAT, "POSTROUTING", "pointsman postrouting rules", OWN_POSTROUTING);
    return plan;
  }

  /** All rules. */
  static RulePlan active(IpFamily family, IpvsOptions options) {
    RulePlan plan = prepared(family, options);
    plan.services();
    plan.nodePorts();
    plan.postrouting();
    plan.filter();
    plan.jump(NAT, "PREROUTING", "kubernetes service portals", SERVICES);
    plan.jump(NAT, "OUTPUT", "kubernetes service portals", SERVICES);
    plan.jump(NAT, "POSTROUTING", "kubernetes postrouting rules", POSTROUTING);
    plan.jump(FILTER, "FORWARD", "kubernetes forwarding rules", FORWARD);
    plan.jump(FILTER, "INPUT", "kubernetes ipvs access filter", IPVS_FILTER);
    return plan;
  }

  /** What drops the packets of the flows in {@link SetName#HELD}, both ways; nothing else. */
  static RulePlan holding(IpFamily family, IpvsOptions options) {
    RulePlan plan = new RulePlan(family, options);
    plan.chain(
        MANGLE,
        HOLD,
        plan.set(SetName.HELD, "src,src,dst") + " -j DROP",
        plan.set(SetName.HELD, "dst,dst,src") + " -j DROP");
    plan.jump(MANGLE, "PREROUTING", "pointsman hands flows over", HOLD);
    plan.jump(MANGLE, "OUTPUT", "pointsman hands flows over", HOLD);
    return plan;
  }

  /** Chains with their rules in one table. */
  Map<String, List<String>> in(String table) {
    return chains.getOrDefault(table, Map.of());
  }

  /** The rules of one chain. */
  List<String> rules(String table, String chain) {
    return in(table).getOrDefault(chain, List.of());
  }

  private void services() {
    String clusterIp = "Kubernetes service cluster ip + port for masquerade purpose";
    String externalIp = "Kubernetes service external ip + port for masquerade and filter purpose";
    String outside = options.localRange(family).map(range -> " ! -s " + range).orElse("");
    String direction = outside.isEmpty() ? "src,dst" : "dst,dst";
    chain(
        NAT,
        SERVICES,
        " -s " + (family == IpFamily.IPV4 ? "127.0.0.0/8" : "::1/128") + " -j RETURN",
        comment("Kubernetes service lb portal")
            + set(SetName.LOAD_BALANCER, "dst,dst")
            + " -j "
            + LOAD_BALANCER,
        outside + comment(clusterIp) + set(SetName.CLUSTER_IP, direction) + TO_MARK,
        comment(externalIp) + set(SetName.EXTERNAL_IP, "dst,dst") + TO_MARK,
        " -m addrtype --dst-type LOCAL -j " + NODE_PORT,
        // What ip_vs serves must not be translated by rules of others that come behind.
        set(SetName.CLUSTER_IP, "dst,dst") + " -j ACCEPT",
        set(SetName.LOAD_BALANCER, "dst,dst") + " -j ACCEPT",
        set(SetName.EXTERNAL_IP, "dst,dst") + " -j ACCEPT");
    chain(NAT, LOAD_BALANCER, TO_MARK);
    chain(NAT, MARK_MASQ, " -j MARK --set-xmark 0x4000/0x4000");
  }

  private void nodePorts() {
    chain(
        NAT,
        NODE_PORT,
        nodePort("tcp", "Kubernetes nodeport TCP port", SetName.NODE_PORT_TCP, "dst"),
        nodePort("udp", "Kubernetes nodeport UDP port", SetName.NODE_PORT_UDP, "dst"),
        nodePort("sctp", "Kubernetes nodeport SCTP port", SetName.NODE_PORT_SCTP, "dst,dst"));
  }

  private String nodePort(String protocol, String what, SetName set, String direction) {
    String suffix = set == SetName.NODE_PORT_SCTP ? " with type 'hash ip:port'" : "";
    return " -p "
        + protocol
        + comment(what + " for masquerade purpose" + suffix)
        + set(set, direction)
        + TO_MARK;
  }

  private void postrouting() {
    chain(
        NAT,
        POSTROUTING,
        comment("Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose")
            + set(SetName.LOOP_BACK, "dst,dst,src")
            + " -j MASQUERADE",
        " -m mark ! --mark 0x4000/0x4000 -j RETURN",
        " -j MARK --set-xmark 0x4000/0x0",
        comment("kubernetes service traffic requiring SNAT") + " -j MASQUERADE --random-fully");
  }

  private void filter() {
    chain(
        FILTER,
        FORWARD,
        comment("kubernetes forwarding rules") + " -m mark --mark 0x4000/0x4000 -j ACCEPT",
        comment("kubernetes forwarding conntrack rule")
            + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
    chain(
        FILTER,
        IPVS_FILTER,
        set(SetName.LOAD_BALANCER, "dst,dst") + " -j RETURN",
        set(SetName.CLUSTER_IP, "dst,dst") + " -j RETURN",
        set(SetName.EXTERNAL_IP, "dst,dst") + " -j RETURN",
        " -m conntrack --ctstate NEW"
            + set(SetName.SERVICE_ADDRESSES, "dst")
            + " -j REJECT --reject-with "
            + (family == IpFamily.IPV4 ? "icmp-port-unreachable" : "icmp6-port-unreachable"));
  }

  private void chain(String table, String chain, String... rules) {
    List<String> lines = new ArrayList<>(rules.length);
    for (String rule : rules) {
      lines.add("-A " + chain + rule);
    }
    chains.computeIfAbsent(table, name -> new LinkedHashMap<>()).put(chain, lines);
  }

  private void jump(String table, String from, String why, String to) {
    jumps
        .computeIfAbsent(table, name -> new ArrayList<>())
        .add("-A " + from + comment(why) + " -j " + to);
  }

  private static String comment(String text) {
    return " -m comment --comment \"" + text + "\"";
  }

  private String set(SetName set, String direction) {
    return " -m set --match-set " + set.text(family) + " " + direction;
  }
}
