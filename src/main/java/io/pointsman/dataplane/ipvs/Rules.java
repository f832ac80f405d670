// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.iptables.ChainRemoval;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.RestoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The rules around virtual servers in one family: what is there, and what is to be done. */
final class Rules {
  /** Chains of the ipvs mode that the iptables mode does not have, by table. */
  private static final Map<String, Pattern> ONLY_IPVS =
      Map.of(
          RulePlan.NAT,
          Pattern.compile("KUBE-(NODE-PORT|LOAD-BALANCER)|" + RulePlan.OWN_POSTROUTING),
          RulePlan.FILTER,
          Pattern.compile("KUBE-(NODE-PORT|SOURCE-RANGES-FIREWALL|IPVS-FILTER|IPVS-OUT-FILTER)"));

  /** The same with the chains that both modes have. */
  private static final Map<String, Pattern> ALL =
      Map.of(
          RulePlan.NAT,
          Pattern.compile(ONLY_IPVS.get(RulePlan.NAT) + "|KUBE-(SERVICES|POSTROUTING|MARK-MASQ)"),
          RulePlan.FILTER,
          Pattern.compile(ONLY_IPVS.get(RulePlan.FILTER) + "|KUBE-(FORWARD|PROXY-FIREWALL)"));

  private final Iptables tool;
  private final IpFamily family;
  private final IpvsOptions options;

  Rules(Iptables tool, IpvsOptions options) {
    this.tool = tool;
    this.family = Families.of(tool);
    this.options = options;
  }

  IpFamily family() {
    return family;
  }

  /** Whether a kube-proxy in ipvs mode works with the same virtual servers and has ended a sync. */
  boolean sharedWithKubeProxy() {
    // Pointsman does not have the chain; kube-proxy makes it first and fills it last.
    return !save().in(RulePlan.FILTER).getOrDefault(RulePlan.NODE_PORT, List.of()).isEmpty();
  }

  private SavedRules save() {
    SavedRules saved = new SavedRules();
    tool.save(saved::accept);
    return saved;
  }

  /** The tables that cannot be seen; what is in them is not written, nor taken away. */
  List<String> hidden() {
    return hidden(save(), plan(true));
  }

  private static List<String> hidden(SavedRules saved, RulePlan plan) {
    return plan.chains.keySet().stream().filter(saved::hides).toList();
  }

  /** Fails when a table cannot be seen. */
  void needAll() {
    for (String table : hidden()) {
      throw new DataplaneException(HiddenTables.tell(tool, table), null);
    }
  }

  Iptables tool() {
    return tool;
  }

  /** What differs from the plan, each a sentence. */
  List<String> defects(boolean active) {
    SavedRules saved = save();
    RulePlan plan = plan(active);
    List<String> hidden = hidden(saved, plan);
    if (!hidden.isEmpty()) {
      // All else would be guesses.
      return hidden.stream().map(table -> HiddenTables.tell(tool, table)).toList();
    }
    List<String> defects = new ArrayList<>();
    plan.chains.forEach(
        (table, chains) ->
            chains.forEach(
                (chain, rules) -> {
                  List<String> found = saved.in(table).get(chain);
                  if (!rules.equals(found)) {
                    String what = found == null ? "is missing." : "holds other rules.";
                    defects.add(name(table) + " chain " + chain + " " + what);
                  }
                }));
    plan.jumps.forEach(
        (table, jumps) ->
            jumps.forEach(
                jump -> {
                  if (!has(saved, table, jump)) {
                    defects.add(name(table) + " lacks the rule " + jump + ".");
                  }
                }));
    return defects;
  }

  private String name(String table) {
    return tool.name() + " table " + table;
  }

  /** Writes the whole plan where anything differs; returns how many rules were written. */
  int write(boolean active) {
    StringBuilder script = new StringBuilder();
    int written = compose(save(), plan(active), script);
    restore(script);
    return written;
  }

  /** How many rules are to be written so that all are there. */
  int missing() {
    return compose(save(), plan(true), new StringBuilder());
  }

  /** How many rules there are when all are. */
  int count() {
    RulePlan plan = plan(true);
    int rules = 0;
    for (String table : plan.chains.keySet()) {
      rules += plan.in(table).values().stream().mapToInt(List::size).sum();
      rules += plan.jumps.getOrDefault(table, List.of()).size();
    }
    return rules;
  }

  Variant variant() {
    return tool.variant();
  }

  private static int compose(SavedRules saved, RulePlan plan, StringBuilder script) {
    int[] written = {0};
    plan.chains.forEach(
        (table, chains) -> {
          if (saved.hides(table)) {
            return; // its jumps would be there twice
          }
          StringBuilder body = new StringBuilder();
          Map<String, List<String>> wrong = new LinkedHashMap<>(chains);
          wrong.entrySet().removeIf(e -> e.getValue().equals(saved.in(table).get(e.getKey())));
          // Naming a chain makes it, and empties it.
          wrong.keySet().forEach(chain -> body.append(':').append(chain).append(" - [0:0]\n"));
          wrong.values().forEach(rules -> rules.forEach(r -> body.append(r).append('\n')));
          wrong.values().forEach(rules -> written[0] += rules.size());
          for (String jump : plan.jumps.getOrDefault(table, List.of())) {
            if (!has(saved, table, jump)) {
              body.append(jump.replaceFirst("-A (\\S+)", "-I $1 1")).append('\n');
              written[0]++;
            }
          }
          commit(script, table, body);
        });
    return written[0];
  }

  /**
   * Takes the rules away. Chains that the iptables mode has, too, stay when somebody else serves by
   * them now, and a chain stays that somebody else's chain jumps to, without the rules that hold
   * sets.
   *
   * @throws DataplaneException when a table that has such chains cannot be seen
   */
  void remove() {
    SavedRules saved = save();
    plan(true).chains.forEach((table, chains) -> needSeen(saved, table, chains.keySet()));
    StringBuilder script = new StringBuilder();
    int unused = removal(saved, script);
    restore(script);
  }

  private static void append(CommandRunner.Input input, StringBuilder script) {
    try {
      input.writeTo(script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many rules {@link #remove} would take away. */
  int removable() {
    return removal(save(), new StringBuilder());
  }

  private int removal(SavedRules saved, StringBuilder script) {
    ChainRemoval removal = new ChainRemoval(saved.servesByIpvs() ? ALL : ONLY_IPVS);
    tool.save(removal::accept);
    append(removal.script(variant()), script);
    int rules = (int) removal.rules();
    for (String table : List.of(RulePlan.NAT, RulePlan.FILTER)) {
      StringBuilder body = new StringBuilder();
      for (Map.Entry<String, List<String>> chain : saved.in(table).entrySet()) {
        if (removal.kept().contains(table + " " + chain.getKey())) {
          for (String rule : chain.getValue()) {
            if (rule.contains(SavedRules.OWN_SET)) {
              body.append("-D").append(rule.substring(2)).append('\n');
              rules++;
            }
          }
        }
      }
      commit(script, table, body);
    }
    return rules;
  }

  /** Takes only Pointsman's own chain away; everything else is kube-proxy's from now on. */
  void release() {
    drop(RulePlan.NAT, RulePlan.OWN_POSTROUTING);
  }

  /** Drops the packets of the flows in {@link SetName#HELD} until {@link #letGo}. */
  void hold() {
    StringBuilder script = new StringBuilder();
    int unused = compose(save(), RulePlan.holding(family, options), script);
    restore(script);
  }

  /** Takes back {@link #hold}, if it was. */
  void letGo() {
    drop(RulePlan.MANGLE, RulePlan.HOLD);
  }

  /** Chains that cannot be seen and are there must not be left behind. */
  private void needSeen(SavedRules saved, String table, Set<String> chains) {
    if (chains.stream().anyMatch(chain -> saved.conceal(tool, table, chain))) {
      throw new DataplaneException("remove chains: " + HiddenTables.tell(tool, table), null);
    }
  }

  /** Takes a chain away, with the rules that jump to it. */
  private void drop(String table, String chain) {
    SavedRules saved = save();
    needSeen(saved, table, Set.of(chain));
    Map<String, List<String>> chains = saved.in(table);
    StringBuilder body = new StringBuilder();
    if (chains.containsKey(chain)) {
      body.append(':').append(chain).append(" - [0:0]\n");
      for (List<String> rules : chains.values()) {
        for (String rule : rules) {
          if (rule.endsWith(" -j " + chain)) {
            body.append("-D").append(rule.substring(2)).append('\n');
          }
        }
      }
      body.append("-X ").append(chain).append('\n');
    }
    StringBuilder script = new StringBuilder();
    commit(script, table, body);
    restore(script);
  }

  private RulePlan plan(boolean active) {
    return active ? RulePlan.active(family, options) : RulePlan.prepared(family, options);
  }

  private static boolean has(SavedRules saved, String table, String jump) {
    String chain = jump.substring(3, jump.indexOf(' ', 3));
    return saved.in(table).getOrDefault(chain, List.of()).contains(jump);
  }

  private static void commit(StringBuilder script, String table, StringBuilder body) {
    if (!body.isEmpty()) {
      script.append('*').append(table).append('\n').append(body).append("COMMIT\n");
    }
  }

  private void restore(StringBuilder script) {
    if (!script.isEmpty()) {
      try {
        tool.restore(out -> append(out, script));
      } catch (RestoreException e) {
        throw new DataplaneException(String.valueOf(e.getMessage()), e);
      }
    }
  }

  private static void append(Appendable out, CharSequence text) throws IOException {
    out.append(text);
  }
}
