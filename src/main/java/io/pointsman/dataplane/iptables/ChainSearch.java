// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Looks for chains by their names wherever this node may have them: in both places that the kernel
 * has for rules of iptables, and in tables that only nft can show. Changes nothing.
 */
public final class ChainSearch {
  /** Where a chain begins in what nft lists. */
  private static final Pattern CHAIN = Pattern.compile("\\tchain (\\S+) \\{.*");

  private ChainSearch() {}

  /** The iptables that are installed, of both variants and families. */
  public static List<Iptables> tools(CommandRunner commands) {
    List<Iptables> tools = new ArrayList<>();
    for (Variant variant : Variant.values()) {
      for (Family family : Family.values()) {
        Iptables tool = new Iptables(commands, family, variant);
        if (commands.has(tool.name() + "-save")) {
          tools.add(tool);
        }
      }
    }
    return tools;
  }

  /**
   * The chains whose names match by table, in words; without those that chains of others jump to.
   */
  public static List<String> find(CommandRunner commands, Map<String, Pattern> wanted) {
    List<String> found = new ArrayList<>();
    for (Iptables tool : tools(commands)) {
      ChainRemoval tables = new ChainRemoval(wanted);
      tool.save(tables::accept);
      tables.chains().forEach(chain -> found.add(tool.name() + ": chain " + chain));
      for (String table : tables.unreadable()) {
        Pattern names = Objects.requireNonNull(wanted.get(table));
        found.addAll(hidden(commands, tool.family(), table, names));
      }
    }
    return found;
  }

  /** Chains in a table that iptables-save leaves out, because it has a rule that only nft shows. */
  private static List<String> hidden(
      CommandRunner commands, Family family, String table, Pattern wanted) {
    if (!commands.has("nft")) {
      return List.of();
    }
    String name = family.nft() + " " + table;
    return commands.lines("nft", "list table " + name).stream()
        .map(CHAIN::matcher)
        .filter(chain -> chain.matches() && wanted.matcher(chain.group(1)).matches())
        .map(chain -> "chain " + name + " " + chain.group(1) + " beside a rule that only nft shows")
        .toList();
  }
}
