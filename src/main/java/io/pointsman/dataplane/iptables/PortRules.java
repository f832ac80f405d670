// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.List;
import java.util.Map;

/**
 * What one Service port has in the tables.
 *
 * @param chains its own chains in the table nat, with their rules; those that others jump to last
 * @param shared its rules in chains that it shares with other Service ports
 */
record PortRules(Map<String, List<String>> chains, List<SharedRule> shared) {
  /** A port that is not there. */
  static final PortRules NONE = new PortRules(Map.of(), List.of());

  /** How many rules these are. */
  int count() {
    return chains.values().stream().mapToInt(List::size).sum() + shared.size();
  }

  /**
   * One rule of a shared chain.
   *
   * @param rule what stands behind {@code -A CHAIN}
   */
  record SharedRule(Table table, String chain, String rule) {}
}
