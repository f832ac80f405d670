// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One family's tables as iptables-save told them, taken line by line: kube-proxy's chains, what
 * jumps to them, and the state that Pointsman keeps beside them.
 */
final class SavedTables {
  private static final Set<String> BUILT_IN =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  /** Chains of filter that packets of Services' flows do not pass, or not to be dropped. */
  private static final Pattern NOT_FORWARDING =
      Pattern.compile("INPUT|OUTPUT|(KUBE-|" + StandInView.PREFIX + ").*");

  private static final Map<Table, Set<String>> OWN =
      Map.of(
          Table.NAT,
          Set.of(
              ChainNames.SERVICES,
              ChainNames.NODE_PORTS,
              ChainNames.POSTROUTING,
              ChainNames.MARK_MASQ,
              ChainNames.STATE,
              ChainNames.STAGED_SERVICES),
          Table.FILTER,
          Set.of(
              ChainNames.SERVICES,
              ChainNames.EXTERNAL_SERVICES,
              ChainNames.NODE_PORTS,
              ChainNames.FORWARD,
              ChainNames.PROXY_FIREWALL));

  final IpFamily family;
  final List<SavedJump> jumps = new ArrayList<>();
  final RuleReader rules;

  /** Names of the tables in which kube-proxy left its canary. */
  final Set<String> canaries = new HashSet<>();

  /** Chains of the table nat that rules of others jump to. */
  final Set<String> usedByOthers = new HashSet<>();

  /** Counted packets by the name of the event. */
  final Map<String, Long> events = new TreeMap<>(Map.of("rejected", 0L, "dropped_invalid", 0L));

  private final boolean skimmed;
  private final HiddenTables hidden = new HiddenTables();
  private final Map<Table, Map<String, SavedChain>> chains = new EnumMap<>(Table.class);
  private final Map<String, String> state = new HashMap<>();
  private String tableName = "";
  private @Nullable Table table;
  private @Nullable SavedChain last;
  private final List<FixedRules.Jump> unguarded = new ArrayList<>(FixedRules.LOOPBACK_GUARDS);
  private boolean guardChain;
  private boolean forwards = true;
  private int ruleCount;

  /**
   * A rule of a built-in chain that jumps to one of kube-proxy's.
   *
   * @param text what stands behind {@code -A CHAIN}, as it was read
   */
  record SavedJump(Table table, String from, String text, Rule rule) {
    boolean is(FixedRules.Jump jump) {
      return table == jump.table()
          && from.equals(jump.from())
          && rule.hash() == jump.parsed().hash();
    }
  }

  SavedTables(IpFamily family) {
    this(family, false, false);
  }

  /** kube-proxy's, with the words that it says of each frontend. */
  static SavedTables ofKubeProxy(IpFamily family) {
    return new SavedTables(family, true, false);
  }

  /** The same without the rules of Service ports' own chains, for whoever has just written them. */
  static SavedTables skimmed(IpFamily family) {
    return new SavedTables(family, false, true);
  }

  private SavedTables(IpFamily family, boolean kubeProxys, boolean skimmed) {
    this.family = family;
    this.skimmed = skimmed;
    for (Table each : Table.values()) {
      chains.put(each, new HashMap<>());
    }
    this.rules = new RuleReader(family, kubeProxys, name -> chain(Table.NAT, name));
  }

  /** Takes one line of iptables-save, with counters or without. */
  void accept(String line) {
    if (line.startsWith("*")) {
      tableName = line.substring(1);
      table = Table.of(tableName);
      last = null;
    } else if (line.startsWith(":")) {
      declare(line.substring(1, line.indexOf(' ')));
      forwards &= table != Table.FILTER || !line.startsWith(":FORWARD DROP");
    } else if (line.startsWith("-A ")) {
      acceptRule(line, 0, 0);
    } else if (line.startsWith("#")) {
      hidden.accept(line);
    } else if (line.startsWith("[")) {
      int end = line.indexOf("] -A ");
      if (end > 0) {
        acceptRule(line, end + 2, Long.parseLong(line.substring(1, line.indexOf(':'))));
      }
    }
  }

  private void declare(String name) {
    if (name.equals(ChainNames.PROXY_CANARY)) {
      canaries.add(tableName);
    } else if (table != null && owns(table, name)) {
      chain(table, name).declared = true;
    }
    guardChain |= table == Table.FILTER && name.equals(ChainNames.FIREWALL);
  }

  private static boolean owns(Table table, String name) {
    return OWN.getOrDefault(table, Set.of()).contains(name)
        || table == Table.NAT && ChainNames.ofPort(name);
  }

  private void acceptRule(String line, int from, long packets) {
    ruleCount++;
    Table here = table;
    int start = from + "-A ".length();
    int end = line.indexOf(' ', start);
    if (here == null || end < 0) {
      return;
    }
    if (last != null && last.name.length() == end - start && line.startsWith(last.name, start)) {
      acceptOwn(here, last, line.substring(end + 1), packets);
      return;
    }
    String name = line.substring(start, end);
    if (skimmed && here == Table.NAT && ChainNames.ofPort(name)) {
      return;
    }
    String text = line.substring(end + 1);
    if (here == Table.FILTER && line.contains(ChainNames.FIREWALL)) {
      unguarded.removeIf(new SavedJump(here, name, text, Rule.parse(text))::is);
    }
    if (owns(here, name)) {
      last = chain(here, name);
      acceptOwn(here, last, text, packets);
    } else if (text.contains(" KUBE-")) {
      acceptForeign(here, name, text);
    } else if (here == Table.FILTER && !NOT_FORWARDING.matcher(name).matches()) {
      forwards &= !text.contains("-j DROP") && !text.contains("-j REJECT");
    }
  }

  private void acceptOwn(Table here, SavedChain chain, String text, long packets) {
    Rule rule = Rule.parse(text);
    chain.hash.add(rule);
    if (!rules.read(here, chain, rule)) {
      chain.puzzle(rule.target(), text);
    }
    if (chain.name.equals(ChainNames.STATE)) {
      int colon = rule.comment().indexOf(": ");
      if (colon > 0) {
        state.put(rule.comment().substring(0, colon), rule.comment().substring(colon + 2));
      }
    }
    if (rule.target().equals("REJECT")) {
      events.merge("rejected", packets, Long::sum);
    } else if (rule.text("--ctstate").equals("INVALID")) {
      events.merge("dropped_invalid", packets, Long::sum);
    }
  }

  private void acceptForeign(Table here, String name, String text) {
    Rule rule = Rule.parse(text);
    String target = rule.target().isEmpty() ? rule.text("-g") : rule.target();
    if (!owns(here, target)) {
      return;
    }
    // To a Service port's own chain only others jump, wherever from.
    if (BUILT_IN.contains(name) && !ChainNames.ofPort(target)) {
      jumps.add(new SavedJump(here, name, text, rule));
    } else if (here == Table.NAT) {
      usedByOthers.add(target);
    }
  }

  private SavedChain chain(Table here, String name) {
    return chains(here).computeIfAbsent(name, SavedChain::new);
  }

  /** Chains of kube-proxy's names and Pointsman's. */
  Map<String, SavedChain> chains(Table here) {
    return Objects.requireNonNull(chains.get(here));
  }

  /** A chain that is there, null when it is not. */
  @Nullable SavedChain find(Table here, String name) {
    SavedChain chain = chains(here).get(name);
    return chain != null && chain.declared ? chain : null;
  }

  boolean has(FixedRules.Jump jump) {
    return jumps.stream().anyMatch(it -> it.is(jump));
  }

  /** Tables that nothing is known of, because iptables-save left them out. */
  Set<Table> hidden() {
    Set<Table> tables = EnumSet.noneOf(Table.class);
    hidden.names().stream().map(Table::of).filter(Objects::nonNull).forEach(tables::add);
    return tables;
  }

  /** Whether a chain is in such a table; asks nft by what the tables were read with. */
  boolean conceal(Iptables tool, Table table, String chain) {
    return hidden.conceal(tool, table.text(), chain);
  }

  /** In which phase Pointsman left the tables. */
  Phase phase() {
    String text = state.get("phase");
    try {
      return text == null ? Phase.ABSENT : Phase.valueOf(text.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      return Phase.ABSENT;
    }
  }

  /** What a setting of the kernel was before Pointsman changed it; null when it was not changed. */
  @Nullable String before(String setting) {
    return state.get(setting);
  }

  /** Whether packets enter KUBE-SERVICES of the table nat. */
  boolean entered() {
    return jumps.stream()
        .anyMatch(it -> it.table == Table.NAT && it.rule.target().equals(ChainNames.SERVICES));
  }

  /** Whether KUBE-SERVICES serves by IP sets, as kube-proxy's ipvs mode and Pointsman's IPVS do. */
  boolean servesIpvs() {
    SavedChain services = find(Table.NAT, ChainNames.SERVICES);
    return services != null && services.ofIpvs;
  }

  /**
   * Whether kube-proxy has the chains again; while prepared, an earlier mode's canary may stand.
   */
  boolean handedOver() {
    boolean can = phase() == Phase.PREPARED ? entered() && !servesIpvs() : phase() != Phase.ABSENT;
    return can && !canaries.isEmpty();
  }

  /**
   * Names of chains that can be taken out by table: none that somebody else serves by now.
   *
   * @param alone whether nobody else has chains of these names, so that all are Pointsman's even
   *     when nothing says so
   */
  Map<String, Pattern> removable(boolean alone) {
    String state = String.valueOf(ChainNames.OWN.get(Table.NAT.text()));
    String ports = "|KUBE-NODEPORTS|KUBE-(SVC|SVL|FW|EXT|SEP)-[A-Z0-9]+";
    String filter = "KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS";
    if (handedOver() || phase() == Phase.ABSENT && !alone) {
      return ChainNames.OWN;
    }
    if (servesIpvs()) {
      return Map.of("nat", Pattern.compile(state + ports), "filter", Pattern.compile(filter + ")"));
    }
    return Map.of(
        "nat",
        Pattern.compile(state + ports + "|KUBE-(SERVICES|POSTROUTING|MARK-MASQ)"),
        "filter",
        Pattern.compile(filter + "|FORWARD|PROXY-FIREWALL)"));
  }

  /** Whether the chain is there in which others are kept from loopback. */
  boolean hasGuardChain() {
    return guardChain;
  }

  /** What is missing so that others are kept from loopback. */
  List<FixedRules.Jump> unguarded() {
    return family == IpFamily.IPV4 ? unguarded : List.of();
  }

  /** Whether the rules of Service ports' own chains were passed over. */
  boolean skimmed() {
    return skimmed;
  }

  /** Whether established flows are forwarded without a rule that says so: nobody drops here. */
  boolean forwards() {
    return forwards;
  }

  /** How many rules there are, of whomever. */
  int ruleCount() {
    return ruleCount;
  }
}
