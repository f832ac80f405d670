// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy.places;

import io.pointsman.dataplane.iptables.KubeProxyTables;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.dataplane.ipvs.KubeProxyServers;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.dataplane.nftables.KubeProxyTable;
import io.pointsman.kernel.CommandRunner;
import java.util.List;

/**
 * Reads what a kube-proxy has in this node's kernel, in whichever mode it runs; changes nothing.
 *
 * @param sources the places that are looked at
 */
public record KubeProxyPlaces(List<KubeProxySource> sources) implements KubeProxySource {
  /** Takes a copy. */
  public KubeProxyPlaces {
    sources = List.copyOf(sources);
  }

  /** Looks at all places there are, where these commands run. */
  public static KubeProxyPlaces of(CommandRunner commands) {
    return new KubeProxyPlaces(
        List.of(
            new KubeProxyTables(commands),
            new KubeProxyTable(commands),
            new KubeProxyServers(IpvsOptions.defaults().by(commands))));
  }

  @Override
  public List<KubeProxyState> read() {
    return sources.stream().flatMap(source -> source.read().stream()).toList();
  }
}
