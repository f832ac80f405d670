// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy.places;

import io.pointsman.dataplane.iptables.KubeProxyTables;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.dataplane.ipvs.KubeProxyRules;
import io.pointsman.dataplane.ipvs.KubeProxyServers;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.dataplane.nftables.KubeProxyTable;
import io.pointsman.kernel.CommandRunner;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads what a kube-proxy has in this node's kernel, in whichever mode it runs; changes nothing.
 */
public final class KubeProxyPlaces implements KubeProxySource {
  private final KubeProxyTables tables;
  private final KubeProxyTable table;
  private final KubeProxyServers servers;

  private KubeProxyPlaces(CommandRunner commands) {
    this.tables = new KubeProxyTables(commands);
    this.table = new KubeProxyTable(commands);
    this.servers = new KubeProxyServers(IpvsOptions.defaults().by(commands));
  }

  /** Looks at all places there are, where these commands run. */
  public static KubeProxyPlaces of(CommandRunner commands) {
    return new KubeProxyPlaces(commands);
  }

  @Override
  public List<KubeProxyState> read() {
    boolean ipvs = KubeProxyServers.hasDevice();
    KubeProxyRules around = new KubeProxyRules();
    List<KubeProxyState> states =
        new ArrayList<>(ipvs ? tables.read(around::reader) : tables.read());
    states.addAll(table.read());
    if (ipvs) {
      states.addAll(servers.read(around));
    }
    return states;
  }
}
