// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.ipvs.IpvsKernelState.Place;
import io.pointsman.dataplane.ipvs.Ownership.Owner;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.RealServerInfo;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds what is wrong in virtual servers beyond what their digest covers. */
final class ServerDefects {
  /** No defect is worth more sentences than this; the rest is counted. */
  private static final int MAX_SENTENCES = 20;

  private final String scheduler;
  private final Placement placement;
  private final Set<Address> moved;
  private final List<String> sentences = new ArrayList<>();
  private int untold;

  private ServerDefects(String scheduler, Placement placement, Set<Address> moved) {
    this.scheduler = scheduler;
    this.placement = placement;
    this.moved = moved;
  }

  /**
   * Finds them.
   *
   * @param placement where virtual servers were placed
   * @param moved what has come to the host since, or gone
   */
  static List<String> find(
      ServerTable table, String scheduler, Placement placement, Set<Address> moved) {
    ServerDefects defects = new ServerDefects(scheduler, placement, moved);
    table.rows().forEach(defects::checkServer);
    defects.checkNodePorts(table);
    if (defects.untold > 0) {
      defects.sentences.add("Virtual servers have " + defects.untold + " more defects.");
    }
    return defects.sentences;
  }

  private void checkServer(ServerTable.Row row) {
    if (!ServerWriter.matches(row.info(), scheduler)) {
      tell(
          "The virtual server %s has the scheduler %s or flags (0x%x) that were not set here."
              .formatted(row.server(), row.info().scheduler(), row.info().flags()));
    }
    if (row.owners().contains(Owner.FRONTEND)
        && moved.contains(Address.of(row.server().address()))) {
      tell(
          "The address of the virtual server "
              + row.server()
              + " has come to a device of the host, or has left one, since.");
    }
    for (RealServerInfo real : row.reals()) {
      if (real.weight() != 0 && !ServerWriter.sound(real)) {
        tell(
            "The real server %s of virtual server %s has weight %d and forwarding method %d."
                .formatted(real.server(), row.server(), real.weight(), real.forwarding()));
      }
    }
  }

  /** Every node port has to be at each of the node's addresses, with the same behind it. */
  private void checkNodePorts(ServerTable table) {
    Map<Place, Set<RealServer>> first = new HashMap<>();
    Map<Place, Set<Address>> addresses = new HashMap<>();
    for (ServerTable.Row row : table.rows()) {
      if (row.owners().contains(Owner.NODE_PORT)) {
        Place place = Place.of(row, Owner.NODE_PORT);
        Set<RealServer> reals = new HashSet<>(IpvsKernelState.serving(row));
        if (!first.computeIfAbsent(place, key -> reals).equals(reals)) {
          tell("The virtual server " + row.server() + " has other real servers than its twins.");
        }
        addresses
            .computeIfAbsent(place, key -> new HashSet<>())
            .add(Address.of(row.server().address()));
      }
    }
    Map<IpFamily, Set<Address>> wanted = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      wanted.put(family, new HashSet<>(placement.nodePortAddresses(family)));
    }
    addresses.forEach(
        (place, found) -> {
          if (!found.equals(wanted.get(place.address().family()))) {
            tell(
                "The node port %d is at %s, not at %s."
                    .formatted(place.port(), found, wanted.get(place.address().family())));
          }
        });
  }

  private void tell(String sentence) {
    if (sentences.size() < MAX_SENTENCES) {
      sentences.add(sentence);
    } else {
      untold++;
    }
  }
}
