// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.iptables.ChainNames.MARK_MASQ;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What iptables-restore has to read so that one family's tables, as they were saved, become as they
 * shall be: every chain that differs is written anew, every other one is left alone. The rules are
 * made while they are written, never held as a whole. A Service port's chains change in one commit,
 * and are there before anything leads to them. Where nothing is there yet, the first commit says
 * that something is.
 */
final class FullScript implements CommandRunner.Input {
  private final Comparison difference;
  private final WantedTables wanted;
  private final int commitSize;
  private final boolean first;

  /**
   * Compares.
   *
   * @param commitSize after how many chains of Service ports there is a commit
   */
  FullScript(SavedTables saved, WantedTables wanted, int commitSize) {
    this.difference = new Comparison(saved, wanted);
    this.wanted = wanted;
    this.commitSize = commitSize;
    this.first = saved.phase() == Phase.ABSENT;
  }

  /** The chain that Services are found in: not KUBE-SERVICES while that serves somebody else. */
  String services() {
    return difference.services();
  }

  /** Whether there is nothing to do. */
  boolean isEmpty() {
    return written() == 0 && deleted() == 0;
  }

  /** How many rules are written. */
  int written() {
    return difference.written();
  }

  /** How many chains are deleted. */
  int deleted() {
    return difference.deleted();
  }

  @Override
  public void writeTo(Appendable out) throws IOException {
    Lines lines = new Lines(out);
    if (first) {
      writeNote(lines);
    }
    // Before flows come they must be let through; before a rejection goes there must be endpoints.
    if (difference.opens()) {
      write(lines, Table.FILTER);
    }
    writeMark(lines);
    writePorts(lines);
    write(lines, Table.NAT);
    if (!difference.opens()) {
      write(lines, Table.FILTER);
    }
    for (String table : difference.canaries()) {
      lines.table(table);
      lines.chain(ChainNames.PROXY_CANARY);
      lines.deleteChain(ChainNames.PROXY_CANARY);
      lines.commit();
    }
  }

  /** What tells a later look, after a crash or a refusal half-way, that something is there. */
  private void writeNote(Lines lines) throws IOException {
    lines.table(Table.NAT);
    lines.chain(ChainNames.STATE);
    lines.append(ChainNames.STATE, StateRules.of(Phase.PREPARED, wanted.routeLocalnet()));
    lines.commit();
  }

  /** The chain that the chains of Service ports lead to. */
  private void writeMark(Lines lines) throws IOException {
    if (difference.rewritten(Table.NAT).contains(MARK_MASQ)) {
      lines.table(Table.NAT);
      lines.chain(MARK_MASQ);
      lines.append(MARK_MASQ, fixed(Table.NAT).getOrDefault(MARK_MASQ, List.of()));
      lines.commit();
    }
  }

  private void writePorts(Lines lines) throws IOException {
    Set<String> chains = difference.rewritten(Table.NAT);
    if (chains.stream().noneMatch(ChainNames::ofPort)) {
      return;
    }
    List<Map.Entry<String, List<String>>> waiting = new ArrayList<>();
    for (ServicePort port : wanted.ports()) {
      for (var chain : wanted.rules().of(port).chains().entrySet()) {
        if (chains.contains(chain.getKey())) {
          waiting.add(chain);
        }
      }
      if (waiting.size() >= commitSize) {
        writeChains(lines, waiting);
      }
    }
    writeChains(lines, waiting);
  }

  private static void writeChains(Lines lines, List<Map.Entry<String, List<String>>> waiting)
      throws IOException {
    if (waiting.isEmpty()) {
      return;
    }
    lines.table(Table.NAT);
    lines.chains(waiting);
    lines.commit();
    waiting.clear();
  }

  /** The chains that lead to those of Service ports, and all that goes with them. */
  private void write(Lines lines, Table table) throws IOException {
    Set<String> stale = difference.stale(table);
    List<String> chains = leading(table);
    if (chains.isEmpty() && stale.isEmpty() && difference.jumps(table).isEmpty()) {
      return;
    }
    lines.table(table);
    for (String name : chains) {
      lines.chain(name);
    }
    for (String name : stale) {
      lines.chain(name);
    }
    writeShared(lines, table, chains);
    for (var chain : fixed(table).entrySet()) {
      if (chains.contains(chain.getKey())) {
        lines.append(chain.getKey(), chain.getValue());
      }
    }
    if (chains.contains(ChainNames.STATE)) {
      lines.append(ChainNames.STATE, StateRules.of(wanted.phase(), wanted.routeLocalnet()));
    }
    if (chains.contains(ChainNames.FIREWALL)) {
      lines.append(ChainNames.FIREWALL, FixedRules.LOOPBACK_GUARD);
    }
    for (FixedRules.Jump jump : difference.jumps(table)) {
      lines.insert(jump.from(), jump.rule());
    }
    for (String name : stale) {
      lines.deleteChain(name);
    }
    lines.commit();
  }

  /** Chains to be written that no Service port's chain leads to. */
  private List<String> leading(Table table) {
    return difference.rewritten(table).stream()
        .filter(name -> table != Table.NAT || !ChainNames.ofPort(name) && !name.equals(MARK_MASQ))
        .sorted()
        .toList();
  }

  private static Map<String, List<String>> fixed(Table table) {
    return FixedRules.CHAINS.getOrDefault(table, Map.of());
  }

  private void writeShared(Lines lines, Table table, List<String> chains) throws IOException {
    if (chains.isEmpty()) {
      return;
    }
    for (ServicePort port : wanted.ports()) {
      for (SharedRule rule : wanted.rules().sharedOf(port)) {
        String name = difference.renamed(table, rule.chain());
        if (rule.table() == table && chains.contains(name)) {
          lines.append(name, rule.rule());
        }
      }
    }
    if (table == Table.NAT && chains.contains(services())) {
      lines.append(services(), wanted.doors());
    }
  }
}
