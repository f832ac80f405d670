// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.RealServerInfo;
import io.pointsman.kernel.VirtualServer;
import io.pointsman.kernel.VirtualServerInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes virtual and real servers in batches. A real server of TCP that goes gets the weight 0 and
 * stays until its last connection has ended; one of UDP or SCTP goes at once, as with kube-proxy.
 */
final class ServerWriter {
  static final int WEIGHT = 1;

  private final IpvsNetlink ipvs;
  private final String scheduler;

  /** Real servers with weight 0, by virtual server. */
  private final Map<VirtualServer, Set<RealServer>> leaving = new HashMap<>();

  private final Set<VirtualServer> touched = new HashSet<>();
  private int written;
  private int deleted;

  ServerWriter(IpvsNetlink ipvs, String scheduler) {
    this.ipvs = ipvs;
    this.scheduler = scheduler;
  }

  /** Forgets what was collected and not sent, and starts counting anew. */
  void begin() {
    ipvs.clear();
    touched.clear();
    written = 0;
    deleted = 0;
  }

  int written() {
    return written;
  }

  int deleted() {
    return deleted;
  }

  void create(VirtualServer server, List<Backend> backends) {
    ipvs.add(wanted(server));
    written++;
    leaving.remove(server);
    for (Backend backend : backends) {
      ipvs.add(server, Addresses.real(backend), WEIGHT);
      written++;
    }
  }

  /** Makes a virtual server that was read what it shall be. */
  void mend(ServerTable.Row row, List<Backend> backends) {
    VirtualServer server = row.server();
    leaving.remove(server);
    if (!matches(row.info(), scheduler)) {
      ipvs.edit(wanted(server));
      written++;
    }
    Map<RealServer, RealServerInfo> present = new HashMap<>();
    row.reals().forEach(real -> present.put(real.server(), real));
    for (Backend backend : backends) {
      RealServer real = Addresses.real(backend);
      RealServerInfo info = present.remove(real);
      if (info == null) {
        ipvs.add(server, real, WEIGHT);
        written++;
      } else if (!sound(info)) {
        ipvs.edit(server, real, WEIGHT);
        written++;
      }
    }
    present.forEach((real, info) -> leave(server, real, info.weight() == 0));
  }

  /** Changes what is behind a virtual server: new real servers first. */
  void change(VirtualServer server, List<Backend> before, List<Backend> after) {
    Set<RealServer> old = new HashSet<>();
    before.forEach(backend -> old.add(Addresses.real(backend)));
    Set<RealServer> waiting = leaving.get(server);
    for (Backend backend : after) {
      RealServer real = Addresses.real(backend);
      if (!old.remove(real)) {
        if (waiting != null && waiting.remove(real)) {
          ipvs.edit(server, real, WEIGHT);
        } else {
          ipvs.add(server, real, WEIGHT);
        }
        written++;
      }
    }
    old.forEach(real -> leave(server, real, false));
  }

  void delete(VirtualServer server) {
    ipvs.delete(server);
    leaving.remove(server);
    touched.remove(server);
    deleted++;
  }

  void flush() {
    ipvs.flush();
  }

  /** Looks at the virtual servers of this change whether what leaves has connections at all. */
  void reapTouched() {
    List<VirtualServer> all = new ArrayList<>(touched);
    touched.clear();
    all.forEach(this::reap);
    ipvs.flush();
  }

  /** Takes away what has no connections any more. */
  void reap() {
    new ArrayList<>(leaving.keySet()).forEach(this::reap);
    ipvs.flush();
  }

  private void reap(VirtualServer server) {
    Set<RealServer> waiting = leaving.getOrDefault(server, Set.of());
    if (waiting.isEmpty()) {
      return;
    }
    Set<RealServer> busy = new HashSet<>();
    for (RealServerInfo info : ipvs.realServers(server)) {
      if (info.weight() == 0 && waiting.contains(info.server())) {
        if (info.connections() == 0) {
          ipvs.delete(server, info.server());
          deleted++;
        } else {
          busy.add(info.server());
        }
      }
    }
    if (busy.isEmpty()) {
      leaving.remove(server);
    } else {
      leaving.put(server, busy);
    }
  }

  private void leave(VirtualServer server, RealServer real, boolean asked) {
    if (server.protocol() == Protocol.TCP.number()) {
      if (!asked) {
        ipvs.edit(server, real, 0);
        written++;
        touched.add(server);
      }
      leaving.computeIfAbsent(server, key -> new HashSet<>()).add(real);
    } else {
      ipvs.delete(server, real);
      deleted++;
    }
  }

  private VirtualServerInfo wanted(VirtualServer server) {
    return new VirtualServerInfo(server, scheduler, Schedulers.flags(scheduler), 0);
  }

  /** Whether scheduler and flags are as they shall be; how long clients stay then matters not. */
  static boolean matches(VirtualServerInfo info, String scheduler) {
    return info.scheduler().equals(scheduler)
        && (info.flags() & ~VirtualServerInfo.HASHED) == Schedulers.flags(scheduler);
  }

  /** Whether a real server takes its share of new connections by NAT. */
  static boolean sound(RealServerInfo info) {
    return info.weight() == WEIGHT && info.forwarding() == RealServerInfo.MASQUERADE;
  }
}
