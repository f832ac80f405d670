// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import java.util.HashSet;
import java.util.Set;

/**
 * What the IPVS dataplane has under names that kube-proxy uses, too: whoever cleans up after a
 * kube-proxy must leave it while the dataplane is there.
 */
public final class IpvsNames {
  private IpvsNames() {}

  /** Whether the dataplane has a chain of this name in the table. */
  public static boolean hasChain(String table, String chain) {
    return RulePlan.active(IpFamily.IPV4, IpvsOptions.defaults()).in(table).containsKey(chain);
  }

  /** Whether a kube-proxy in its ipvs mode gives this name to an IP set. */
  public static boolean isSetOfKubeProxy(String name) {
    return IpSets.OF_KUBE_PROXY.matcher(name).matches();
  }

  /** The names of its IP sets. */
  public static Set<String> sets() {
    Set<String> names = new HashSet<>();
    for (IpFamily family : IpFamily.values()) {
      for (SetName set : SetName.values()) {
        names.add(set.text(family));
      }
    }
    return names;
  }
}
