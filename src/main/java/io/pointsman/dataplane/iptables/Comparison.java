// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What differs between one family's tables, as they were saved, and what they shall be. */
final class Comparison {
  private final SavedTables saved;
  private final WantedTables wanted;
  private final String services;
  private final Map<Table, Set<String>> rewritten = new EnumMap<>(Table.class);
  private final Map<Table, Set<String>> stale = new EnumMap<>(Table.class);
  private final Map<Table, List<FixedRules.Jump>> jumps = new EnumMap<>(Table.class);
  private final Map<Table, Map<String, ChainHash>> shared = new EnumMap<>(Table.class);
  private int written;
  private int deleted;

  Comparison(SavedTables saved, WantedTables wanted) {
    this.saved = saved;
    this.wanted = wanted;
    this.services =
        wanted.phase() != Phase.ACTIVE && saved.entered() && saved.servesIpvs()
            ? ChainNames.STAGED_SERVICES
            : ChainNames.SERVICES;
    for (Table table : Table.values()) {
      rewritten.put(table, new HashSet<>());
      stale.put(table, new HashSet<>());
      jumps.put(table, new ArrayList<>());
      shared.put(table, new HashMap<>());
    }
    compare();
  }

  /** The chain that Services are found in: not KUBE-SERVICES while that serves somebody else. */
  String services() {
    return services;
  }

  /** How many rules are to be written. */
  int written() {
    return written;
  }

  /** How many chains are to be deleted. */
  int deleted() {
    return deleted;
  }

  /** Chains to be written anew. */
  Set<String> rewritten(Table table) {
    return at(rewritten, table);
  }

  /** Chains to be deleted. */
  Set<String> stale(Table table) {
    return at(stale, table);
  }

  /** Jumps to be added. */
  List<FixedRules.Jump> jumps(Table table) {
    return at(jumps, table);
  }

  /** Names of the tables whose canary is to be deleted. */
  Set<String> canaries() {
    return opens() ? saved.canaries : Set.of();
  }

  /** Whether flows are taken that were not taken before. */
  boolean opens() {
    return wanted.phase() == Phase.ACTIVE && saved.phase() != Phase.ACTIVE;
  }

  /** The chain that stands for one of kube-proxy's names. */
  String renamed(Table table, String chain) {
    return table == Table.NAT && chain.equals(ChainNames.SERVICES) ? services : chain;
  }

  private void compare() {
    FixedRules.SHARED.forEach(
        (table, names) -> names.forEach(name -> sharedHash(table, renamed(table, name))));
    for (ServicePort port : wanted.ports()) {
      PortRules portRules =
          saved.skimmed() ? wanted.rules().leadingTo(port) : wanted.rules().of(port);
      portRules.chains().forEach((name, content) -> compareList(Table.NAT, name, content));
      for (SharedRule rule : portRules.shared()) {
        String name = renamed(rule.table(), rule.chain());
        ChainHash hash = sharedHash(rule.table(), name);
        if (saved.find(rule.table(), name) == null) {
          hash.count();
        } else {
          hash.add(Rule.parse(rule.rule()));
        }
      }
    }
    wanted.doors().forEach(door -> sharedHash(Table.NAT, services).add(Rule.parse(door)));
    compareShared();
    compareFixed();
    compareState();
    compareStale();
    compareJumps();
  }

  private void compareList(Table table, String name, List<String> content) {
    SavedChain chain = saved.find(table, name);
    if (chain != null) {
      chain.wanted = true;
    }
    if (chain == null || !chain.hash.sameList(ChainHash.of(content))) {
      rewrite(table, name, content.size());
    }
  }

  private void compareShared() {
    shared.forEach(
        (table, chains) ->
            chains.forEach(
                (name, hash) -> {
                  SavedChain chain = saved.find(table, name);
                  if (chain == null || chain.misplaced || !chain.hash.sameSet(hash)) {
                    rewrite(table, name, hash.rules());
                  }
                }));
  }

  private void compareFixed() {
    boolean occupied = services.equals(ChainNames.STAGED_SERVICES);
    FixedRules.CHAINS.forEach(
        (table, chains) ->
            chains.forEach(
                (name, content) -> {
                  if (!occupied || saved.find(table, name) == null) {
                    compareList(table, name, content);
                  }
                }));
  }

  private void compareState() {
    // Its rules are nothing but comments, which make no difference elsewhere.
    String before = saved.before(Sysctls.ROUTE_LOCALNET.text());
    if (saved.phase() != wanted.phase() || !Objects.equals(before, wanted.routeLocalnet())) {
      int rules = StateRules.of(wanted.phase(), wanted.routeLocalnet()).size();
      rewrite(Table.NAT, ChainNames.STATE, rules);
    }
  }

  private void compareStale() {
    Set<SavedChain> used = UsedChains.find(saved, chain -> !chain.wanted);
    for (SavedChain chain : saved.chains(Table.NAT).values()) {
      boolean staged =
          chain.name.equals(ChainNames.STAGED_SERVICES) && !services.equals(chain.name);
      boolean left = !saved.skimmed() && ChainNames.ofPort(chain.name) && !chain.wanted;
      if (chain.declared && (staged || left) && !used.contains(chain)) {
        stale(Table.NAT).add(chain.name);
      }
    }
    // Where kube-proxy's canary is seen again later, kube-proxy is there again.
    deleted += stale(Table.NAT).size() + canaries().size();
  }

  private void compareJumps() {
    if (wanted.phase() != Phase.ACTIVE) {
      return;
    }
    for (FixedRules.Jump jump : FixedRules.JUMPS) {
      if (!saved.has(jump)) {
        jumps(jump.table()).add(jump);
        written++;
      }
    }
    for (FixedRules.Jump guard : saved.unguarded()) {
      if (guard.from().equals(ChainNames.FIREWALL) && !saved.hasGuardChain()) {
        rewrite(Table.FILTER, ChainNames.FIREWALL, 1);
      } else {
        jumps(Table.FILTER).add(guard);
        written++;
      }
    }
  }

  private void rewrite(Table table, String name, int size) {
    rewritten(table).add(name);
    written += Math.max(1, size);
  }

  private ChainHash sharedHash(Table table, String chain) {
    return at(shared, table).computeIfAbsent(chain, name -> new ChainHash());
  }

  private static <T> T at(Map<Table, T> map, Table table) {
    return Objects.requireNonNull(map.get(table));
  }
}
