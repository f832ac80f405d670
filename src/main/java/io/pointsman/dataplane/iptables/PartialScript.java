// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What iptables-restore has to read for a change of some Service ports: their chains that differ,
 * and single rules of the chains they share. In the order in which no flow is turned away that has
 * somewhere to go: new rejections, endpoints, rejections that are over.
 */
final class PartialScript implements CommandRunner.Input {
  private final String services;
  private final int commitSize;
  private final List<List<Map.Entry<String, List<String>>>> ports = new ArrayList<>();
  private final Set<String> goneChains = new TreeSet<>(ChainNames.CALLERS_FIRST);
  private final List<SharedRule> added = new ArrayList<>();
  private final List<SharedRule> gone = new ArrayList<>();

  /**
   * An empty change.
   *
   * @param services the chain of the table nat that Services are found in
   * @param commitSize after how many chains there is a commit
   */
  PartialScript(String services, int commitSize) {
    this.services = services;
    this.commitSize = commitSize;
  }

  /** Adds the change of one Service port. */
  void change(PortRules before, PortRules after) {
    List<Map.Entry<String, List<String>>> differing =
        after.chains().entrySet().stream()
            .filter(chain -> !chain.getValue().equals(before.chains().get(chain.getKey())))
            .toList();
    if (!differing.isEmpty()) {
      ports.add(differing);
    }
    for (String name : before.chains().keySet()) {
      if (!after.chains().containsKey(name)) {
        goneChains.add(name);
      }
    }
    Set<SharedRule> old = new HashSet<>(before.shared());
    Set<SharedRule> now = new HashSet<>(after.shared());
    after.shared().stream().filter(rule -> !old.contains(rule)).forEach(added::add);
    before.shared().stream().filter(rule -> !now.contains(rule)).forEach(gone::add);
  }

  boolean isEmpty() {
    return ports.isEmpty() && goneChains.isEmpty() && added.isEmpty() && gone.isEmpty();
  }

  /** How many rules are written. */
  int written() {
    return added.size()
        + ports.stream().flatMap(List::stream).mapToInt(each -> each.getValue().size()).sum();
  }

  /** How many rules and chains are deleted. */
  int deleted() {
    return goneChains.size() + gone.size();
  }

  @Override
  public void writeTo(Appendable out) throws IOException {
    Lines lines = new Lines(out);
    writeFilter(lines, added, true);
    writeNat(lines);
    writeFilter(lines, gone, false);
  }

  private static void writeFilter(Lines lines, List<SharedRule> rules, boolean insert)
      throws IOException {
    if (rules.stream().noneMatch(rule -> rule.table() == Table.FILTER)) {
      return;
    }
    lines.table(Table.FILTER);
    for (SharedRule rule : rules) {
      if (rule.table() == Table.FILTER && insert) {
        lines.insert(rule.chain(), rule.rule());
      } else if (rule.table() == Table.FILTER) {
        lines.delete(rule.chain(), rule.rule());
      }
    }
    lines.commit();
  }

  /** A Service port's chains change in one commit, and are there before anything leads to them. */
  private void writeNat(Lines lines) throws IOException {
    List<Map.Entry<String, List<String>>> waiting = new ArrayList<>();
    for (var port : ports) {
      if (waiting.size() >= commitSize) {
        lines.table(Table.NAT);
        lines.chains(waiting);
        lines.commit();
        waiting.clear();
      }
      waiting.addAll(port);
    }
    boolean shared =
        Stream.concat(added.stream(), gone.stream()).anyMatch(rule -> rule.table() == Table.NAT);
    if (shared || !waiting.isEmpty() || !goneChains.isEmpty()) {
      lines.table(Table.NAT);
      lines.chains(waiting);
      writeShared(lines);
      // Nothing leads to them any more but those before them.
      lines.deleteChains(Table.NAT.text(), List.copyOf(goneChains), commitSize);
      lines.commit();
    }
  }

  private void writeShared(Lines lines) throws IOException {
    for (SharedRule rule : added) {
      if (rule.table() == Table.NAT) {
        lines.insert(renamed(rule.chain()), rule.rule());
      }
    }
    for (SharedRule rule : gone) {
      if (rule.table() == Table.NAT) {
        lines.delete(renamed(rule.chain()), rule.rule());
      }
    }
  }

  private String renamed(String chain) {
    return chain.equals(ChainNames.SERVICES) ? services : chain;
  }
}
