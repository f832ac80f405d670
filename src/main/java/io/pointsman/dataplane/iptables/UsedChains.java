// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Chains of the table nat that are needed no more and that somebody else's rules lead to, by
 * themselves or by way of another: the kernel does not let them go.
 */
final class UsedChains {
  private final SavedTables saved;
  private final Predicate<SavedChain> left;

  private UsedChains(SavedTables saved, Predicate<SavedChain> left) {
    this.saved = saved;
    this.left = left;
  }

  /**
   * Finds them.
   *
   * @param left which chains are needed no more; the others lead where they shall
   */
  static Set<SavedChain> find(SavedTables saved, Predicate<SavedChain> left) {
    UsedChains chains = new UsedChains(saved, left);
    Set<SavedChain> used = new HashSet<>();
    Deque<SavedChain> found = new ArrayDeque<>();
    chains.left(saved.usedByOthers.stream()).forEach(found::push);
    while (!found.isEmpty()) {
      SavedChain chain = found.pop();
      if (used.add(chain)) {
        chains.left(chain.calls()).forEach(found::push);
      }
    }
    return used;
  }

  private Stream<SavedChain> left(Stream<String> names) {
    return names.flatMap(name -> Stream.ofNullable(saved.find(Table.NAT, name))).filter(left);
  }
}
