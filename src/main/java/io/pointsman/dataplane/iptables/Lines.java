// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Writes what iptables-restore reads (iptables-restore(8)), line by line. */
final class Lines {
  private final Appendable out;

  Lines(Appendable out) {
    this.out = out;
  }

  void table(Table table) throws IOException {
    table(table.text());
  }

  void table(String name) throws IOException {
    out.append('*').append(name).append('\n');
  }

  /** Makes a chain, or empties one that is there. */
  void chain(String name) throws IOException {
    out.append(':').append(name).append(" - [0:0]\n");
  }

  /** Makes chains, all of them before the first rule, which may lead to any. */
  void chains(Collection<Map.Entry<String, List<String>>> chains) throws IOException {
    for (var chain : chains) {
      chain(chain.getKey());
    }
    for (var chain : chains) {
      append(chain.getKey(), chain.getValue());
    }
  }

  void append(String chain, List<String> rules) throws IOException {
    for (String rule : rules) {
      append(chain, rule);
    }
  }

  void append(String chain, String rule) throws IOException {
    line("-A ", chain, rule);
  }

  /** Puts a rule before all others. */
  void insert(String chain, String rule) throws IOException {
    line("-I ", chain, rule);
  }

  void delete(String chain, String rule) throws IOException {
    line("-D ", chain, rule);
  }

  /**
   * Deletes chains of the table that is open, and opens it again after each commit but the last,
   * which is the caller's.
   *
   * @param commitSize how many chains go into one commit
   */
  void deleteChains(String table, List<String> names, int commitSize) throws IOException {
    for (int from = 0; from < names.size(); from += commitSize) {
      if (from > 0) {
        commit();
        table(table);
      }
      deleteChains(names.subList(from, Math.min(names.size(), from + commitSize)));
    }
  }

  /** Only empty chains that nothing leads to can be deleted, so all are emptied first. */
  private void deleteChains(List<String> names) throws IOException {
    for (String name : names) {
      chain(name);
    }
    for (String name : names) {
      deleteChain(name);
    }
  }

  void deleteChain(String name) throws IOException {
    out.append("-X ").append(name).append('\n');
  }

  void commit() throws IOException {
    out.append("COMMIT\n");
  }

  private void line(String command, String chain, String rule) throws IOException {
    out.append(command).append(chain).append(' ').append(rule).append('\n');
  }
}
