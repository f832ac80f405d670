// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of one rule by their names, in the one form that is the same for what is written
 * and what iptables-save makes of it: arguments in order of their names, marks as set-xmark, the
 * chance of a rule as one in n, nothing that is the default. Comments and counters (nfacct) do not
 * change what a rule does and are no part of its {@link #hash}.
 */
final class Rule {
  /** The kernel keeps a chance in units of 2^-31. */
  private static final double CHANCE_ERROR = 1e-8;

  private static final int USUAL_ARGUMENTS = 8;

  private static final Map<String, Set<String>> DEFAULTS =
      Map.of(
          "--packet", Set.of("0"),
          "--reject-with", Set.of("icmp-port-unreachable", "icmp6-port-unreachable"),
          "--mask", Set.of("255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
          "--rsource", Set.of(""));

  /**
   * In their order, each with its value at the same place; maps take most of a large table's time.
   */
  private String[] names = new String[USUAL_ARGUMENTS];

  private String[] values = new String[USUAL_ARGUMENTS];
  private int count;
  private String comment = "";

  private Rule() {}

  /** Reads what stands behind {@code -A CHAIN}. */
  static Rule parse(String text) {
    Rule rule = new Rule();
    RuleWords words = new RuleWords(text);
    boolean negated = false;
    while (words.hasNext()) {
      String word = words.next();
      if (word.equals("!")) {
        negated = true;
      } else {
        rule.put(word, negated, word.equals("--comment") ? words.next() : words.value());
        negated = false;
      }
    }
    return rule;
  }

  private void put(String name, boolean negated, String value) {
    switch (name) {
      case "--comment" -> comment = value;
      case "-m", "--nfacct-name" -> {}
      case "-s", "-d" -> set(name, negated, withoutFullMask(value));
      case "--or-mark" -> set("--set-xmark", negated, value + "/" + value);
      case "--xor-mark" -> set("--set-xmark", negated, value + "/0x0");
      case "--probability" -> set(name, negated, oneIn(value));
      default -> {
        if (!DEFAULTS.getOrDefault(name, Set.of()).contains(value)) {
          set(name, negated, value);
        }
      }
    }
  }

  private void set(String bareName, boolean negated, String value) {
    String name = negated ? "! " + bareName : bareName;
    int at = Arrays.binarySearch(names, 0, count, name);
    if (at < 0) {
      at = -at - 1;
      if (count == names.length) {
        names = Arrays.copyOf(names, 2 * count);
        values = Arrays.copyOf(values, 2 * count);
      }
      System.arraycopy(names, at, names, at + 1, count - at);
      System.arraycopy(values, at, values, at + 1, count - at);
      names[at] = name;
      count++;
    }
    values[at] = value;
  }

  private static String withoutFullMask(String value) {
    if (value.endsWith("/32") && value.indexOf(':') < 0) {
      return value.substring(0, value.length() - 3);
    }
    return value.endsWith("/128") ? value.substring(0, value.length() - 4) : value;
  }

  private static String oneIn(String value) {
    try {
      double chance = Double.parseDouble(value);
      long n = Math.round(1 / chance);
      return n > 0 && Math.abs(1.0 / n - chance) < CHANCE_ERROR ? Long.toString(n) : value;
    } catch (NumberFormatException e) {
      return value;
    }
  }

  /** The value of an argument; null when it is not there. */
  @Nullable String get(String name) {
    int at = Arrays.binarySearch(names, 0, count, name);
    return at < 0 ? null : values[at];
  }

  /** The value of an argument; empty when it is not there. */
  String text(String name) {
    String value = get(name);
    return value == null ? "" : value;
  }

  /** Where the rule jumps to; empty when it goes nowhere. */
  String target() {
    return text("-j");
  }

  String comment() {
    return comment;
  }

  /** Whether it has no arguments but these. */
  boolean hasOnly(Set<String> allowed) {
    for (int i = 0; i < count; i++) {
      if (!allowed.contains(names[i])) {
        return false;
      }
    }
    return true;
  }

  /** Whether it has no arguments but these, and these. */
  boolean hasExactly(Set<String> wanted) {
    return count == wanted.size() && hasOnly(wanted);
  }

  /** Equal for rules that do the same. */
  long hash() {
    long hash = ChainHash.START;
    for (int i = 0; i < count; i++) {
      hash = ChainHash.mix(ChainHash.mix(hash, names[i]), values[i]);
    }
    return hash;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(' ').append(names[i]).append(' ').append(values[i]);
    }
    return text.toString().strip();
  }
}
