// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.kubeproxy.DeadRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The rules of one family around a kube-proxy's virtual servers, as far as they are the same in all
 * of its releases and settings: what looks into a set is only there while the set has entries.
 */
final class KubeProxyChains {
  private static final List<String> OF_NAT =
      List.of(
          RulePlan.SERVICES,
          RulePlan.NODE_PORT,
          RulePlan.LOAD_BALANCER,
          RulePlan.MARK_MASQ,
          RulePlan.POSTROUTING);

  /** One more that drops whatever comes there has jumps with a match only. */
  private static final Map<String, Set<String>> SHARED =
      Map.of(
          RulePlan.NAT,
          Set.copyOf(OF_NAT),
          RulePlan.FILTER,
          Set.of(
              RulePlan.FORWARD,
              RulePlan.NODE_PORT,
              "KUBE-PROXY-FIREWALL",
              RulePlan.IPVS_FILTER,
              "KUBE-IPVS-OUT-FILTER"));

  /** What kube-proxy's rules of the table nat have, one or the other. */
  private static final Pattern KNOWN =
      Pattern.compile(
          SavedRules.OWN_SET
              + "| -j (KUBE-|MARK|MASQUERADE)| -s (127\\.0\\.0\\.0/8|::1/128) -j RETURN"
              + "| -m mark ! --mark \\S+ -j RETURN");

  private final IpFamily family;
  private final SavedRules saved = new SavedRules();
  private final DeadRules dead = new DeadRules(SHARED);
  private final List<String> defects = new ArrayList<>();

  /** Of one family, as one program shows them. */
  KubeProxyChains(IpFamily family) {
    this.family = family;
  }

  /** Takes the next line of iptables-save. */
  void accept(String line) {
    saved.accept(line);
    dead.accept(line);
  }

  IpFamily family() {
    return family;
  }

  /** Whether tables that matter cannot be seen. */
  boolean hidden() {
    return saved.hides(RulePlan.NAT) || saved.hides(RulePlan.FILTER);
  }

  /** Whether the chain is there that all flows enter by. */
  boolean serves() {
    return saved.in(RulePlan.NAT).containsKey(RulePlan.SERVICES);
  }

  /**
   * What was found; empty lists where rules cannot be read.
   *
   * @param defects each a sentence without its end
   * @param foreign the same of rules that kube-proxy does not write
   */
  record Found(List<String> defects, List<String> foreign) {}

  /**
   * Looks for what is wrong.
   *
   * @param entries of the sets
   * @param own whether no rule is left that Pointsman wrote
   */
  Found found(Set<SetEntry> entries, boolean own) {
    needJump(RulePlan.NAT, "PREROUTING", RulePlan.SERVICES);
    needJump(RulePlan.NAT, "OUTPUT", RulePlan.SERVICES);
    needJump(RulePlan.NAT, "POSTROUTING", RulePlan.POSTROUTING);
    needJump(RulePlan.FILTER, "FORWARD", RulePlan.FORWARD);
    if (nat(RulePlan.MARK_MASQ).stream().noneMatch(rule -> rule.contains(" -j MARK "))) {
      defects.add("nat " + RulePlan.MARK_MASQ + " marks nothing to be masqueraded");
    }
    if (nat(RulePlan.POSTROUTING).stream()
        .noneMatch(rule -> rule.contains(" -j MASQUERADE") && !rule.contains(SavedRules.OWN_SET))) {
      defects.add("nat " + RulePlan.POSTROUTING + " masquerades nothing");
    }
    needLookups(entries);
    if (own
        && !has(entries, SetName.LOOP_BACK)
        && looksUp(RulePlan.POSTROUTING, SetName.LOOP_BACK, "MASQUERADE")) {
      defects.add("the set " + SetName.LOOP_BACK.text(family) + " is empty");
    }
    defects.addAll(dead.sentences());
    return new Found(defects, foreign());
  }

  private void needLookups(Set<SetEntry> entries) {
    need(entries, SetName.CLUSTER_IP, RulePlan.SERVICES, RulePlan.MARK_MASQ);
    need(entries, SetName.EXTERNAL_IP, RulePlan.SERVICES, RulePlan.MARK_MASQ);
    need(entries, SetName.LOAD_BALANCER, RulePlan.SERVICES, RulePlan.LOAD_BALANCER);
    need(entries, SetName.LOOP_BACK, RulePlan.POSTROUTING, "MASQUERADE");
    List<SetName> ports =
        List.of(SetName.NODE_PORT_TCP, SetName.NODE_PORT_UDP, SetName.NODE_PORT_SCTP);
    ports.forEach(set -> need(entries, set, RulePlan.NODE_PORT, RulePlan.MARK_MASQ));
    if (ports.stream().anyMatch(set -> has(entries, set))) {
      needJump(RulePlan.NAT, RulePlan.SERVICES, RulePlan.NODE_PORT);
    }
    if (has(entries, SetName.LOAD_BALANCER)) {
      needJump(RulePlan.NAT, RulePlan.LOAD_BALANCER, RulePlan.MARK_MASQ);
    }
  }

  private void need(Set<SetEntry> entries, SetName set, String chain, String target) {
    if (has(entries, set) && !looksUp(chain, set, target)) {
      defects.add("nat " + chain + " sends nothing of " + set.text(family) + " to " + target);
    }
  }

  private boolean looksUp(String chain, SetName set, String target) {
    String match = " --match-set " + set.text(family) + " ";
    return nat(chain).stream()
        .anyMatch(rule -> rule.contains(match) && rule.contains(" -j " + target));
  }

  private boolean has(Set<SetEntry> entries, SetName set) {
    return entries.stream().anyMatch(entry -> entry.set() == set && entry.family() == family);
  }

  private void needJump(String table, String from, String to) {
    List<String> rules = saved.in(table).getOrDefault(from, List.of());
    if (rules.stream().noneMatch(rule -> rule.endsWith(" -j " + to))) {
      defects.add(table + " " + from + " lacks the jump to " + to);
    }
  }

  private List<String> foreign() {
    List<String> foreign = new ArrayList<>();
    for (String chain : OF_NAT) {
      for (String line : nat(chain)) {
        String rule = line.substring("-A ".length() + chain.length() + 1);
        if (!KNOWN.matcher(line).find() && !dead.has(RulePlan.NAT, chain, rule)) {
          foreign.add("nat " + chain + " has a foreign rule, '" + rule + "'");
        }
      }
    }
    return foreign;
  }

  private List<String> nat(String chain) {
    return saved.in(RulePlan.NAT).getOrDefault(chain, List.of());
  }
}
