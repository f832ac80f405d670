// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What iptables-restore has to read so that one family's tables, as they were saved, become as they
 * shall be: every chain that differs is written anew, every other one is left alone. The rules are
 * made while they are written, never held as a whole.
 */
final class FullScript implements CommandRunner.Input {
  private final SavedTables saved;
  private final Collection<ServicePort> ports;
  private final ServiceRules rules;
  private final List<String> doors;
  private final Phase phase;
  private final @Nullable String routeLocalnet;
  private final String services;
  private final Map<Table, Set<String>> rewritten = new EnumMap<>(Table.class);
  private final Map<Table, Set<String>> stale = new EnumMap<>(Table.class);
  private final Map<Table, List<FixedRules.Jump>> jumps = new EnumMap<>(Table.class);
  private final Map<Table, Map<String, ChainHash>> shared = new EnumMap<>(Table.class);
  private int written;
  private int deleted;

  /**
   * Compares.
   *
   * @param doors the last rules of KUBE-SERVICES
   * @param phase the phase that the tables shall be in
   * @param routeLocalnet what the setting was before, null when it was left alone
   */
  FullScript(
      SavedTables saved,
      Collection<ServicePort> ports,
      ServiceRules rules,
      List<String> doors,
      Phase phase,
      @Nullable String routeLocalnet) {
    this.saved = saved;
    this.ports = ports;
    this.rules = rules;
    this.doors = doors;
    this.phase = phase;
    this.routeLocalnet = routeLocalnet;
    this.services =
        phase != Phase.ACTIVE && saved.entered() && saved.servesIpvs()
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

  /** Whether there is nothing to do. */
  boolean isEmpty() {
    return written == 0 && deleted == 0;
  }

  /** How many rules are written. */
  int written() {
    return written;
  }

  /** How many chains are deleted. */
  int deleted() {
    return deleted;
  }

  private void compare() {
    Set<String> wanted = new HashSet<>();
    for (Table table : Table.values()) {
      at(FixedRules.SHARED, table).forEach(c -> sharedHash(table, renamed(table, c)));
    }
    for (ServicePort port : ports) {
      PortRules portRules = rules.of(port);
      portRules
          .chains()
          .forEach(
              (name, content) -> {
                wanted.add(name);
                compareList(Table.NAT, name, content);
              });
      for (SharedRule rule : portRules.shared()) {
        sharedHash(rule.table(), renamed(rule.table(), rule.chain())).add(Rule.parse(rule.rule()));
      }
    }
    doors.forEach(door -> sharedHash(Table.NAT, services).add(Rule.parse(door)));
    compareShared();
    compareFixed();
    compareStale(wanted);
    compareJumps();
  }

  private void compareList(Table table, String name, List<String> content) {
    SavedChain chain = saved.find(table, name);
    ChainHash hash = new ChainHash();
    content.forEach(rule -> hash.add(Rule.parse(rule)));
    if (chain == null || !chain.hash.sameList(hash)) {
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
    for (Table table : Table.values()) {
      at(FixedRules.CHAINS, table)
          .forEach(
              (name, content) -> {
                if (!occupied || saved.find(table, name) == null) {
                  compareList(table, name, content);
                }
              });
    }
    // Its rules are nothing but comments, which make no difference elsewhere.
    boolean told =
        saved.phase() == phase
            && Objects.equals(saved.before(Sysctl.ROUTE_LOCALNET.text()), routeLocalnet);
    if (!told) {
      rewrite(Table.NAT, ChainNames.STATE, 1);
    }
  }

  private void compareStale(Set<String> wanted) {
    Set<String> gone = at(stale, Table.NAT);
    for (SavedChain chain : saved.chains(Table.NAT).values()) {
      boolean staged =
          chain.name.equals(ChainNames.STAGED_SERVICES) && !services.equals(chain.name);
      if (chain.declared
          && (staged || ChainNames.ofPort(chain.name) && !wanted.contains(chain.name))
          && !saved.usedByOthers.contains(chain.name)) {
        gone.add(chain.name);
      }
    }
    deleted += gone.size();
    if (opens()) {
      // Where kube-proxy's canary is seen again later, kube-proxy is there again.
      deleted += saved.canaries.size();
    }
  }

  private void compareJumps() {
    if (phase != Phase.ACTIVE) {
      return;
    }
    for (FixedRules.Jump jump : FixedRules.JUMPS) {
      if (!saved.has(jump)) {
        at(jumps, jump.table()).add(jump);
        written++;
      }
    }
    if (guardsLoopback()) {
      at(jumps, Table.FILTER).addAll(FixedRules.LOOPBACK_GUARD_JUMPS);
      rewrite(Table.FILTER, ChainNames.FIREWALL, 1);
    }
  }

  private boolean guardsLoopback() {
    return saved.family == IpFamily.IPV4 && !saved.guarded();
  }

  private void rewrite(Table table, String name, int size) {
    at(rewritten, table).add(name);
    written += Math.max(1, size);
  }

  @Override
  public void writeTo(Appendable out) throws IOException {
    // Before flows come they must be let through; before a rejection goes there must be endpoints.
    write(out, opens() ? Table.FILTER : Table.NAT);
    write(out, opens() ? Table.NAT : Table.FILTER);
    if (opens()) {
      Lines lines = new Lines(out);
      for (String table : saved.canaries) {
        lines.table(table);
        lines.chain(ChainNames.PROXY_CANARY);
        lines.deleteChain(ChainNames.PROXY_CANARY);
        lines.commit();
      }
    }
  }

  private boolean opens() {
    return phase == Phase.ACTIVE && saved.phase() != Phase.ACTIVE;
  }

  private void write(Appendable out, Table table) throws IOException {
    Set<String> chains = at(rewritten, table);
    if (chains.isEmpty() && at(stale, table).isEmpty() && at(jumps, table).isEmpty()) {
      return;
    }
    Lines lines = new Lines(out);
    lines.table(table);
    for (String name : chains) {
      lines.chain(name);
    }
    for (String name : at(stale, table)) {
      lines.chain(name);
    }
    writePorts(lines, table);
    if (table == Table.NAT && chains.contains(services)) {
      lines.append(services, doors);
    }
    for (var fixed : at(FixedRules.CHAINS, table).entrySet()) {
      if (chains.contains(fixed.getKey())) {
        lines.append(fixed.getKey(), fixed.getValue());
      }
    }
    if (chains.contains(ChainNames.STATE)) {
      lines.append(ChainNames.STATE, StateRules.of(phase, routeLocalnet));
    }
    if (chains.contains(ChainNames.FIREWALL)) {
      lines.append(ChainNames.FIREWALL, List.of(FixedRules.LOOPBACK_GUARD));
    }
    for (FixedRules.Jump jump : at(jumps, table)) {
      lines.insert(jump.from(), jump.rule());
    }
    for (String name : at(stale, table)) {
      lines.deleteChain(name);
    }
    lines.commit();
  }

  private void writePorts(Lines lines, Table table) throws IOException {
    Set<String> chains = at(rewritten, table);
    if (chains.isEmpty()) {
      return;
    }
    for (ServicePort port : ports) {
      PortRules portRules = rules.of(port);
      if (table == Table.NAT) {
        for (var chain : portRules.chains().entrySet()) {
          if (chains.contains(chain.getKey())) {
            lines.append(chain.getKey(), chain.getValue());
          }
        }
      }
      for (SharedRule rule : portRules.shared()) {
        String name = renamed(table, rule.chain());
        if (rule.table() == table && chains.contains(name)) {
          lines.append(name, rule.rule());
        }
      }
    }
  }

  private String renamed(Table table, String chain) {
    return table == Table.NAT && chain.equals(ChainNames.SERVICES) ? services : chain;
  }

  private ChainHash sharedHash(Table table, String chain) {
    return at(shared, table).computeIfAbsent(chain, name -> new ChainHash());
  }

  private static <T> T at(Map<Table, T> map, Table table) {
    return Objects.requireNonNull(map.get(table));
  }
}
