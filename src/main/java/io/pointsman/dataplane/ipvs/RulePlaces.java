// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.iptables.ChainSearch;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Where this node's rules are, in nf_tables or in ip_tables.
 *
 * @param weights how much speaks for each variant that has rules in either family; where none has,
 *     nothing for each that the kernel takes
 */
record RulePlaces(IpvsOptions options, Map<Variant, Long> weights) {
  /** Looks; changes nothing. */
  static RulePlaces look(IpvsOptions options) {
    Map<Variant, Long> weights = new EnumMap<>(Variant.class);
    List<Iptables> bare = new ArrayList<>();
    for (Iptables tool : ChainSearch.tools(options.commands())) {
      if (tool.usable()) {
        long[] weight = {0};
        try {
          tool.save(line -> weight[0] += weight(line));
        } catch (CommandException e) {
          continue; // the kernel does not have it
        }
        if (weight[0] > 0) {
          weights.merge(tool.variant(), weight[0], Long::sum);
        } else {
          bare.add(tool);
        }
      }
    }
    if (weights.isEmpty()) {
      bare.stream().filter(Iptables::supported).forEach(tool -> weights.put(tool.variant(), 0L));
    }
    return new RulePlaces(options, weights);
  }

  /**
   * The families that this node has, with their rules.
   *
   * @throws DataplaneException when there is no iptables that works
   */
  static List<Rules> find(IpvsOptions options) {
    return look(options).rules();
  }

  /** The same where one has looked already. */
  List<Rules> rules() {
    Variant variant =
        weights.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElseThrow(
                () ->
                    new DataplaneException(
                        "iptables-save and iptables-restore are not there or do not work here: use"
                            + " the image that is published.",
                        null));
    List<Rules> found = new ArrayList<>();
    for (Family family : Family.values()) {
      Iptables tool = new Iptables(options.commands(), family, variant);
      if (tool.usable()) {
        found.add(new Rules(tool, options));
      }
    }
    return found;
  }

  /** Whether no iptables works here. */
  boolean none() {
    return weights.isEmpty();
  }

  /** Whether both variants have rules. */
  boolean mixed() {
    return weights.size() > 1 && !weights.containsValue(0L);
  }

  /** Who serves already counts most, then the kubelet's hint, then every rule. */
  private static long weight(String line) {
    if (line.startsWith(":POINTSMAN-")) {
      return 1L << 50;
    }
    if (line.startsWith("-A PREROUTING") && line.endsWith(" -j " + RulePlan.SERVICES)) {
      return 1L << 40;
    }
    if (line.startsWith(":KUBE-IPTABLES-HINT") || line.startsWith(":KUBE-KUBELET-CANARY")) {
      return 1L << 30;
    }
    return line.startsWith("-A ") ? 1 : 0;
  }
}
