// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
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

  private static final Set<String> DEFAULTS =
      Set.of(
          "--packet 0",
          "--reject-with icmp-port-unreachable",
          "--reject-with icmp6-port-unreachable",
          "--mask 255.255.255.255",
          "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "--rsource ");

  private final TreeMap<String, String> arguments = new TreeMap<>();
  private String comment = "";

  private Rule() {}

  /** Reads what stands behind {@code -A CHAIN}. */
  static Rule parse(String text) {
    Rule rule = new Rule();
    List<String> words = words(text);
    boolean negated = false;
    for (int at = 0; at < words.size(); ) {
      String word = words.get(at++);
      if (word.equals("!")) {
        negated = true;
        continue;
      }
      int end = at;
      if (word.equals("--comment")) {
        end = Math.min(at + 1, words.size());
      } else {
        while (end < words.size() && !isName(words.get(end))) {
          end++;
        }
      }
      rule.put(word, negated, String.join(" ", words.subList(at, end)));
      negated = false;
      at = end;
    }
    return rule;
  }

  private static boolean isName(String word) {
    return word.startsWith("-") || word.equals("!");
  }

  /** Splits at spaces; what is quoted stays together. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>(16);
    int length = text.length();
    for (int at = 0; at < length; at++) {
      char letter = text.charAt(at);
      if (letter == '"') {
        StringBuilder word = new StringBuilder();
        for (at++; at < length && text.charAt(at) != '"'; at++) {
          if (text.charAt(at) == '\\' && at + 1 < length) {
            at++;
          }
          word.append(text.charAt(at));
        }
        words.add(word.toString());
      } else if (letter != ' ') {
        int end = text.indexOf(' ', at);
        end = end < 0 ? length : end;
        words.add(text.substring(at, end));
        at = end;
      }
    }
    return words;
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
        if (!DEFAULTS.contains(name + " " + value)) {
          set(name, negated, value);
        }
      }
    }
  }

  private void set(String name, boolean negated, String value) {
    arguments.put(negated ? "! " + name : name, value);
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
    return arguments.get(name);
  }

  /** The value of an argument; empty when it is not there. */
  String text(String name) {
    return arguments.getOrDefault(name, "");
  }

  /** Where the rule jumps to; empty when it goes nowhere. */
  String target() {
    return text("-j");
  }

  String comment() {
    return comment;
  }

  /** Whether it has no arguments but these. */
  boolean hasOnly(Set<String> names) {
    return names.containsAll(arguments.keySet());
  }

  /** Whether it has no arguments but these, and these. */
  boolean hasExactly(Set<String> names) {
    return arguments.keySet().equals(names);
  }

  /** Equal for rules that do the same. */
  long hash() {
    long hash = ChainHash.START;
    for (var argument : arguments.entrySet()) {
      hash = ChainHash.mix(ChainHash.mix(hash, argument.getKey()), argument.getValue());
    }
    return hash;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    arguments.forEach((name, value) -> text.append(' ').append(name).append(' ').append(value));
    return text.toString().strip();
  }
}
