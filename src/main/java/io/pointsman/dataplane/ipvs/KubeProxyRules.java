// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.iptables.ChainSearch;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Iptables;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The rules around a kube-proxy's virtual servers, in nf_tables and in ip_tables. Whoever reads the
 * tables anyway hands the lines on, because reading takes long where there are many rules.
 */
public final class KubeProxyRules {
  private final List<KubeProxyChains> read = new ArrayList<>();

  /** Takes the lines of iptables-save that one program is about to show. */
  public Consumer<String> reader(Iptables tool) {
    KubeProxyChains chains = new KubeProxyChains(Families.of(tool));
    read.add(chains);
    return chains::accept;
  }

  /** Reads by itself, what the kernel has. */
  static KubeProxyRules read(CommandRunner commands) {
    KubeProxyRules rules = new KubeProxyRules();
    for (Iptables tool : ChainSearch.tools(commands)) {
      KubeProxyChains chains = new KubeProxyChains(Families.of(tool));
      try {
        if (tool.usable()) {
          tool.save(chains::accept);
          rules.read.add(chains);
        }
      } catch (CommandException e) {
        continue; // the kernel does not have it
      }
    }
    return rules;
  }

  /**
   * What is wrong in one family; where both places have such chains, those count in which less is.
   *
   * @param entries of the sets
   * @param own whether no rule is left that Pointsman wrote
   */
  KubeProxyChains.Found find(IpFamily family, Set<SetEntry> entries, boolean own) {
    List<KubeProxyChains> there = read.stream().filter(it -> it.family() == family).toList();
    if (there.isEmpty() || there.stream().anyMatch(KubeProxyChains::hidden)) {
      return new KubeProxyChains.Found(List.of(), List.of()); // who reads iptables mode tells of it
    }
    return there.stream()
        .filter(KubeProxyChains::serves)
        .map(chains -> chains.found(entries, own))
        .min(Comparator.comparingInt(found -> found.defects().size()))
        .orElseGet(
            () ->
                new KubeProxyChains.Found(
                    List.of(RulePlan.NAT + " has no chain " + RulePlan.SERVICES), List.of()));
  }
}
