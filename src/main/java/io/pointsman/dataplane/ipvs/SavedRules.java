// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One family's rules by table and chain, as iptables-save told them, line by line. */
final class SavedRules {
  /** Part of every rule that looks into a set of IPVS'. */
  static final String OWN_SET = " --match-set KUBE-";

  private final Map<String, Map<String, List<String>>> chains = new TreeMap<>();
  private final HiddenTables hidden = new HiddenTables();
  private String table = "";

  /** Takes a line of iptables-save. */
  void accept(String line) {
    if (line.startsWith("*")) {
      table = line.substring(1);
    } else if (line.startsWith(":")) {
      chain(line.substring(1, line.indexOf(' ')));
    } else if (line.startsWith("-A ")) {
      // Newer releases write a quotation mark in a comment with a backslash before it.
      chain(line.substring(3, line.indexOf(' ', 3))).add(line.replace("\\'", "'"));
    } else {
      hidden.accept(line);
    }
  }

  private List<String> chain(String name) {
    return chains
        .computeIfAbsent(table, key -> new LinkedHashMap<>())
        .computeIfAbsent(name, key -> new ArrayList<>());
  }

  /** Whether nothing is known of a table, because iptables-save left it out. */
  boolean hides(String wanted) {
    return hidden.names().contains(wanted);
  }

  /** Whether a chain is in such a table; asks nft by what the rules were read with. */
  boolean conceal(Iptables tool, String wanted, String chain) {
    return hidden.conceal(tool, wanted, chain);
  }

  /** The rules of a table's chains, each as iptables-save writes it. */
  Map<String, List<String>> in(String wanted) {
    return chains.getOrDefault(wanted, Map.of());
  }

  /** Whether KUBE-SERVICES is the ipvs mode's: it is another's when it jumps to Services. */
  boolean servesByIpvs() {
    List<String> services = in(RulePlan.NAT).get(RulePlan.SERVICES);
    return services == null
        || services.isEmpty()
        || services.stream().anyMatch(rule -> rule.contains(OWN_SET));
  }
}
