// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds rules of others in chains of iptables that let no packet come to kube-proxy's behind them:
 * it writes none that ends without a condition. For the lines of one family, as iptables-save
 * writes them.
 */
public final class DeadRules {
  private static final String FILTER = "filter";

  /** A rule without a match; what jumps to a chain of somebody else may come back. */
  private static final Pattern END =
      Pattern.compile(
          "(-m comment --comment (\"([^\"\\\\]|\\\\.)*\"|\\S+) )?"
              + "(-j (ACCEPT|DROP|REJECT|RETURN)( --reject-with \\S+)?|-g \\S+)");

  /** What a rule has that Services need in the table nat. */
  private static final Pattern SERVING =
      Pattern.compile("--match-set KUBE-|(^| )-j (KUBE-|MASQUERADE|MARK)");

  /** What a rule has that Services need in the table filter; other rules there only accept. */
  private static final Pattern REFUSING = Pattern.compile("^(?!.*INVALID).* -j (REJECT|DROP)");

  private final Map<String, Set<String>> chains;

  /** Ends by table and chain, until it is known whether something is behind them. */
  private final Map<String, String> ends = new HashMap<>();

  private final Map<String, Dead> found = new HashMap<>();
  private String table = "";

  /** A rule with what is said of it. */
  private record Dead(String rule, String sentence) {}

  /** Looks at these chains, by table. */
  public DeadRules(Map<String, Set<String>> chains) {
    this.chains = Map.copyOf(chains);
  }

  /** Takes the next line. */
  public void accept(String line) {
    if (line.startsWith("*")) {
      table = line.substring(1);
    } else if (line.startsWith("-A KUBE-")) {
      int end = line.indexOf(' ', 3);
      String chain = end < 0 ? "" : line.substring(3, end);
      if (chains.getOrDefault(table, Set.of()).contains(chain)) {
        accept(table + " " + chain, line.substring(end + 1));
      }
    }
  }

  private void accept(String chain, String rule) {
    boolean filters = table.equals(FILTER);
    if (END.matcher(rule).matches()) {
      ends.putIfAbsent(chain, rule);
      if (filters && (rule.contains("-j DROP") || rule.contains("-j REJECT"))) {
        found.putIfAbsent(
            chain, new Dead(rule, chain + " refuses all by a foreign rule, '" + rule + "'"));
      }
    } else {
      String before = ends.get(chain);
      if (before != null && (filters ? REFUSING : SERVING).matcher(rule).find()) {
        found.putIfAbsent(
            chain,
            new Dead(
                before, chain + " ends at a foreign rule, '" + before + "', before kube-proxy's"));
      }
    }
  }

  /** Each in a sentence without its end, in the order of their chains. */
  public List<String> sentences() {
    return found.values().stream().map(Dead::sentence).sorted().toList();
  }

  /** Whether a rule of a chain is such a one. */
  public boolean has(String ofTable, String chain, String rule) {
    Dead dead = found.get(ofTable + " " + chain);
    return dead != null && dead.rule().equals(rule);
  }
}
