// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.DigestBuilder;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.ipvs.Ownership.Owner;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.RealServerInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The virtual servers as they were read. Those of one node port at several addresses are one
 * frontend, as the first of them says; real servers that take no new connections are none.
 */
final class IpvsKernelState implements KernelState {
  private final Map<Place, ServerTable.Row> frontends = new LinkedHashMap<>();
  private final Digest digest;
  private final int backends;
  private final List<String> defects;
  private final List<Setting> settings;

  /** Where a frontend stands in the form that all dataplanes have. */
  record Place(Address address, int port, int protocol) {
    static List<Place> of(ServerTable.Row row) {
      return row.owners().stream().map(owner -> of(row, owner)).toList();
    }

    static Place of(ServerTable.Row row, Owner owner) {
      Address address = Address.of(row.server().address());
      return new Place(
          switch (owner) {
            case NODE_PORT -> Placement.wildcard(address.family());
            case FRONTEND -> address;
          },
          row.server().port(),
          row.server().protocol());
    }
  }

  IpvsKernelState(ServerTable table, List<String> defects, List<Setting> settings) {
    this.defects = List.copyOf(defects);
    this.settings = List.copyOf(settings);
    for (ServerTable.Row row : table.rows()) {
      Place.of(row).forEach(place -> frontends.putIfAbsent(place, row));
    }
    DigestBuilder sum = new DigestBuilder();
    int pairs = 0;
    for (Map.Entry<Place, ServerTable.Row> entry : frontends.entrySet()) {
      Place place = entry.getKey();
      sum.frontend(place.address(), place.port(), place.protocol());
      for (RealServer real : serving(entry.getValue())) {
        sum.backend(Address.of(real.address()), real.port());
        pairs++;
      }
    }
    this.digest = sum.digest();
    this.backends = pairs;
  }

  /** The real servers that take new connections. */
  static List<RealServer> serving(ServerTable.Row row) {
    List<RealServer> serving = new ArrayList<>(row.reals().size());
    for (RealServerInfo real : row.reals()) {
      if (real.weight() != 0) {
        serving.add(real.server());
      }
    }
    return serving;
  }

  @Override
  public Digest digest() {
    return digest;
  }

  @Override
  public int frontendCount() {
    return frontends.size();
  }

  @Override
  public int backendCount() {
    return backends;
  }

  @Override
  public void forEach(Visitor visitor) {
    frontends.forEach(
        (place, row) ->
            visitor.frontend(
                place.address(),
                place.port(),
                place.protocol(),
                serving(row).stream()
                    .map(real -> new BackendAddress(Address.of(real.address()), real.port()))
                    .toList()));
  }

  @Override
  public List<String> defects() {
    return defects;
  }

  @Override
  public List<Setting> settings() {
    return settings;
  }
}
