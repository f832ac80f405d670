// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.ipvs.Ownership.Owner;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.RealServerInfo;
import io.pointsman.kernel.VirtualServer;
import io.pointsman.kernel.VirtualServerInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The virtual servers as they were read.
 *
 * @param rows ours
 * @param foreign those of others
 */
record ServerTable(List<Row> rows, Set<VirtualServer> foreign) {
  /** A virtual server of ours with what is behind it. */
  record Row(VirtualServerInfo info, List<RealServerInfo> reals, Set<Owner> owners) {
    VirtualServer server() {
      return info.server();
    }
  }

  static ServerTable read(IpvsNetlink ipvs, Ownership ownership) {
    ServerTable table = new ServerTable(new ArrayList<>(), new HashSet<>());
    for (VirtualServerInfo info : ipvs.virtualServers()) {
      Set<Owner> owners = ownership.of(info.server());
      if (owners.isEmpty()) {
        table.foreign.add(info.server());
      } else {
        table.rows.add(new Row(info, ipvs.realServers(info.server()), owners));
      }
    }
    return table;
  }
}
