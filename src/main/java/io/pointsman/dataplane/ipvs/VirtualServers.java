// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.VirtualServer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Keeps the virtual servers as the cluster's Services want them: what is new comes before what is
 * old goes. Virtual servers that nobody wants any more wait for {@link #deleteGone}. For one thread
 * at a time.
 */
final class VirtualServers {
  private final ServerWriter writer;
  private final Predicate<VirtualServer> excluded;
  private final Map<ServicePortId, ServicePort> ports = new HashMap<>();
  private final Map<VirtualServer, ServicePort> served = new HashMap<>();
  private final List<VirtualServer> gone = new ArrayList<>();
  private final List<SyncResult.Refused> refused = new ArrayList<>();
  private boolean trusted;

  /**
   * None yet.
   *
   * @param excluded those that are never made
   */
  VirtualServers(IpvsNetlink ipvs, String scheduler, Predicate<VirtualServer> excluded) {
    this.excluded = excluded;
    this.writer = new ServerWriter(ipvs, scheduler);
  }

  /** Whether a change can be applied; after a failed write all must be reconciled first. */
  boolean trusted() {
    return trusted;
  }

  /** A change has begun that only {@link #deleteGone} ends. */
  void distrust() {
    trusted = false;
  }

  /** What is served, without what was refused. */
  Collection<ServicePort> ports() {
    return ports.values();
  }

  /** Every virtual server that is wanted, as it is known at any time. */
  Set<VirtualServer> served() {
    return Collections.unmodifiableSet(served.keySet());
  }

  /** The ports of a change as they are served now. */
  List<ServicePort> before(DesiredState.Delta delta) {
    List<ServicePort> before = new ArrayList<>();
    delta.upserted().forEach(change -> addIfKnown(change.after().id(), before));
    delta.removed().forEach(port -> addIfKnown(port.id(), before));
    return before;
  }

  private void addIfKnown(ServicePortId id, List<ServicePort> found) {
    ServicePort known = ports.get(id);
    if (known != null) {
      found.add(known);
    }
  }

  /**
   * Chooses what can be served: a port whose place belongs to a virtual server of somebody else is
   * refused.
   */
  void choose(
      Collection<ServicePort> wanted, Placement placement, Predicate<VirtualServer> foreign) {
    distrust();
    List<ServicePort> inOrder = new ArrayList<>(wanted);
    inOrder.sort(holdersFirst(Set.copyOf(ports.keySet())));
    ports.clear();
    served.clear();
    refused.clear();
    Claims claims = claims(placement, foreign);
    for (ServicePort port : inOrder) {
      if (claims.canHave(port, served::get)) {
        ports.put(port.id(), port);
        placement.servers(port).forEach(server -> served.put(server, port));
      }
    }
  }

  /** Who was served stays so; else the name decides, so that all nodes agree. */
  private static Comparator<ServicePort> holdersFirst(Set<ServicePortId> holders) {
    return Comparator.comparing(
        ServicePort::id,
        Comparator.comparing((ServicePortId id) -> !holders.contains(id))
            .thenComparing(ServicePortId::namespace)
            .thenComparing(ServicePortId::service)
            .thenComparing(ServicePortId::port)
            .thenComparing(ServicePortId::protocol));
  }

  /**
   * What of a change can be served: a port that needs a new virtual server where somebody else has
   * one is refused, and what was served of it goes.
   */
  DesiredState.Delta choose(
      DesiredState.Delta wanted, Placement placement, Predicate<VirtualServer> foreign) {
    refused.clear();
    List<DesiredState.Change> upserted = new ArrayList<>();
    List<ServicePort> removed = new ArrayList<>(wanted.removed());
    Map<VirtualServer, ServicePort> holders = holders(wanted, placement);
    Claims claims = claims(placement, foreign);
    for (DesiredState.Change change : wanted.upserted()) {
      ServicePort port = change.after();
      if (claims.canHave(port, holders::get)) {
        upserted.add(change);
        placement.servers(port).forEach(server -> holders.put(server, port));
      } else {
        removed.add(port);
      }
    }
    return new DesiredState.Delta(upserted, removed);
  }

  /** Which ports keep the virtual servers that they have, of those that a change is about. */
  private Map<VirtualServer, ServicePort> holders(DesiredState.Delta wanted, Placement placement) {
    Set<ServicePortId> changing = new HashSet<>();
    wanted.upserted().forEach(change -> changing.add(change.after().id()));
    wanted.removed().forEach(port -> changing.add(port.id()));
    Map<VirtualServer, ServicePort> holders = new HashMap<>();
    for (DesiredState.Change change : wanted.upserted()) {
      for (VirtualServer server : placement.servers(change.after())) {
        ServicePort now = served.get(server);
        if (now != null && !changing.contains(now.id())) {
          holders.put(server, now);
        } else if (now != null && now.id().equals(change.after().id())) {
          holders.put(server, change.after());
        }
      }
    }
    return holders;
  }

  private Claims claims(Placement placement, Predicate<VirtualServer> foreign) {
    return new Claims(placement, excluded, server -> isTaken(server, foreign), refused);
  }

  /** Whether one that would be new belongs to somebody else. */
  private boolean isTaken(VirtualServer server, Predicate<VirtualServer> foreign) {
    return !served.containsKey(server) && foreign.test(server);
  }

  /** Writes what differs from what was read, but for virtual servers that nobody wants. */
  void reconcile(ServerTable table) {
    writer.begin();
    gone.clear();
    Map<VirtualServer, ServerTable.Row> rows = new HashMap<>();
    table.rows().forEach(row -> rows.put(row.server(), row));
    served.forEach(
        (server, port) -> {
          ServerTable.Row row = rows.remove(server);
          if (row == null) {
            writer.create(server, port.backends());
          } else {
            writer.mend(row, port.backends());
          }
        });
    gone.addAll(rows.keySet());
    writer.flush();
  }

  /** Writes a change, but for virtual servers that nobody wants any more. */
  void apply(DesiredState.Delta delta, Placement placement) {
    writer.begin();
    gone.clear();
    Map<VirtualServer, ServicePort> lost = new HashMap<>();
    for (DesiredState.Change change : delta.upserted()) {
      ServicePort after = change.after();
      ServicePort before = ports.put(after.id(), after);
      if (before != null && !before.frontends().equals(after.frontends())) {
        placement.servers(before).forEach(server -> lost.put(server, before));
      }
      placement.servers(after).forEach(server -> serve(server, after));
    }
    for (ServicePort port : delta.removed()) {
      ServicePort before = ports.remove(port.id());
      if (before != null) {
        placement.servers(before).forEach(server -> lost.put(server, before));
      }
    }
    leave(lost);
    writer.flush();
  }

  /** Whether node ports can be at those addresses: nobody else has a virtual server there. */
  void checkMove(Placement after, Predicate<VirtualServer> foreign) {
    for (ServicePort port : ports.values()) {
      for (VirtualServer server : after.servers(port)) {
        if (isTaken(server, foreign)) {
          throw new DataplaneException(
              "the virtual server " + server + " of " + port.id().text() + " is somebody else's",
              null);
        }
      }
    }
  }

  /** Moves node ports to other addresses of the node. */
  void move(Placement before, Placement after) {
    refused.clear();
    writer.begin();
    gone.clear();
    Map<VirtualServer, ServicePort> lost = new HashMap<>();
    for (ServicePort port : ports.values()) {
      List<VirtualServer> servers = after.servers(port);
      before.servers(port).stream()
          .filter(server -> !servers.contains(server))
          .forEach(server -> lost.put(server, port));
      servers.forEach(server -> serve(server, port));
    }
    leave(lost);
    writer.flush();
  }

  private void serve(VirtualServer server, ServicePort port) {
    ServicePort now = served.put(server, port);
    if (now == null) {
      writer.create(server, port.backends());
    } else if (!now.backends().equals(port.backends())) {
      writer.change(server, now.backends(), port.backends());
    }
  }

  /** A place may have gone to another Service port by the same change. */
  private void leave(Map<VirtualServer, ServicePort> lost) {
    lost.forEach(
        (server, before) -> {
          if (served.get(server) == before) {
            served.remove(server);
            gone.add(server);
          }
        });
  }

  /** Deletes the virtual servers that nobody wants; with them go their connections. */
  void deleteGone() {
    gone.forEach(writer::delete);
    gone.clear();
    writer.flush();
    writer.reapTouched();
    trusted = true;
  }

  /** Makes virtual servers again that were deleted after {@link #distrust}. */
  void remake(Collection<VirtualServer> deleted) {
    writer.begin();
    for (VirtualServer server : deleted) {
      ServicePort port = served.get(server);
      if (port != null) {
        writer.create(server, port.backends());
      }
    }
    writer.flush();
    trusted = true;
  }

  /** Takes real servers away that were waiting for their connections; returns how many. */
  int reap() {
    writer.begin();
    writer.reap();
    return writer.deleted();
  }

  int written() {
    return writer.written();
  }

  int deleted() {
    return writer.deleted();
  }

  List<SyncResult.Refused> refused() {
    return List.copyOf(refused);
  }
}
