// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tables that iptables-nft-save leaves out as a whole, because each holds a rule that only nft
 * can show. It says so in a comment and succeeds. iptables-nft-restore writes into them all the
 * same.
 */
public final class HiddenTables {
  private static final Pattern COMMENT = Pattern.compile("# Table `(\\w+)' is incompatible.*");

  private final Set<String> names = new TreeSet<>();

  /** Takes a line of iptables-save. */
  public void accept(String line) {
    if (line.startsWith("#")) {
      Matcher comment = COMMENT.matcher(line);
      if (comment.matches()) {
        names.add(comment.group(1));
      }
    }
  }

  /** Their names. */
  public Set<String> names() {
    return Set.copyOf(names);
  }

  /** Whether one of them has a chain; asks nft. */
  public boolean conceal(Iptables tool, String table, String chain) {
    return names.contains(table) && tool.has(table, chain);
  }

  /** What is wrong with one of them; no sentence of its own. */
  public static String why(Iptables tool, String table) {
    return "%s-save leaves out the table %s, because it holds a rule that only nft can show"
        .formatted(tool.name(), table);
  }

  /** What to do about it. */
  public static String remedy(Iptables tool, String table) {
    return "Take that rule out: 'nft list table %s %s' shows it."
        .formatted(tool.family().nft(), table);
  }

  /** Both, for the message of a failure. */
  public static String tell(Iptables tool, String table) {
    return why(tool, table) + ". " + remedy(tool, table);
  }
}
