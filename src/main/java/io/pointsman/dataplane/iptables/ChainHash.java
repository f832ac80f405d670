// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.List;

/**
 * Identifies the rules of a chain: in their order, or as a set for chains in which every rule is
 * about another address. It guards against mistakes, not against an adversary.
 */
final class ChainHash {
  /** The offset basis and prime of FNV-1a with 64 bits. */
  static final long START = 0xcbf29ce484222325L;

  private static final long PRIME = 0x100000001b3L;
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long ordered = START;
  private long sum;
  private int rules;

  /** Of rules in their order, each as it stands behind {@code -A CHAIN}. */
  static ChainHash of(List<String> rules) {
    ChainHash hash = new ChainHash();
    rules.forEach(rule -> hash.add(Rule.parse(rule)));
    return hash;
  }

  /** Adds a letter sequence to a hash; its end counts too. */
  static long mix(long hash, String text) {
    long mixed = hash;
    for (int i = 0; i < text.length(); i++) {
      mixed = (mixed ^ text.charAt(i)) * PRIME;
    }
    return (mixed ^ 0x1f) * PRIME;
  }

  /** Adds a rule behind the others. */
  void add(Rule rule) {
    long hash = rule.hash();
    ordered = (ordered ^ hash) * GOLDEN;
    ordered ^= ordered >>> 29;
    sum += hash * GOLDEN ^ hash >>> 31;
    rules++;
  }

  /** Counts a rule of a chain that is compared with none. */
  void count() {
    rules++;
  }

  int rules() {
    return rules;
  }

  /** Whether both have the same rules in the same order. */
  boolean sameList(ChainHash other) {
    return rules == other.rules && ordered == other.ordered;
  }

  /** Whether both have the same rules. */
  boolean sameSet(ChainHash other) {
    return rules == other.rules && sum == other.sum;
  }
}
