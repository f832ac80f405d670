// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Looks where this node's rules are, in nf_tables or in ip_tables; changes nothing. */
final class RulePlaces {
  private RulePlaces() {}

  /**
   * The families that this node has, with their rules.
   *
   * @throws DataplaneException when there is no iptables that works
   */
  static List<Rules> find(IpvsOptions options) {
    Map<Variant, Long> weights = weights(options);
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

  /**
   * How much speaks for each variant that works in either family; more than one with rules is a
   * mixed node.
   */
  static Map<Variant, Long> weights(IpvsOptions options) {
    Map<Variant, Long> weights = new EnumMap<>(Variant.class);
    for (Variant variant : Variant.values()) {
      for (Family family : Family.values()) {
        Iptables tool = new Iptables(options.commands(), family, variant);
        if (tool.usable()) {
          long[] weight = {0};
          try {
            tool.save(line -> weight[0] += weight(line));
            if (weight[0] > 0 || tool.supported()) {
              weights.merge(variant, weight[0], Long::sum);
            }
          } catch (CommandException e) {
            continue; // the kernel does not have it
          }
        }
      }
    }
    return weights;
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
