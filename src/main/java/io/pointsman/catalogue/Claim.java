// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A Service port's wish to be reached at a frontend.
 *
 * @param created when the Service was created, seconds since the epoch
 * @param port the port's name
 */
record Claim(ObjectKey service, long created, String port, FrontendKind kind) {
  /**
   * Who comes first gets the frontend: a ClusterIP is its Service's own whoever else claims the
   * address; then the older Service; names decide where nothing else does.
   */
  static final Comparator<Claim> RANK =
      Comparator.comparing((Claim claim) -> claim.kind != FrontendKind.CLUSTER_IP)
          .thenComparingLong(Claim::created)
          .thenComparing(Claim::service)
          .thenComparing(Claim::port);

  /** Where clients connect, without what the frontend is for. */
  record Place(Address address, int port, Protocol protocol) {
    @Override
    public String toString() {
      String host = address.isV4() ? address.toString() : "[" + address + "]";
      return (address.isAny() ? "node port " + port : host + ":" + port) + "/" + protocol;
    }
  }

  /** Everything a Service claims; a place it names twice is claimed once. */
  static Map<Place, Claim> of(ServiceInput input) {
    Map<Place, Claim> claims = new LinkedHashMap<>();
    for (ServiceInput.Port port : input.ports()) {
      forEachPlace(
          input,
          port,
          (place, kind) ->
              claims.putIfAbsent(
                  place, new Claim(input.key(), input.created(), port.name(), kind)));
    }
    return claims;
  }

  /** Every place of one port with what it is, in the order of a Service's fields. */
  static void forEachPlace(ServiceInput input, ServiceInput.Port port, PlaceVisitor visitor) {
    for (Address address : input.clusterAddresses()) {
      visitor.place(new Place(address, port.port(), port.protocol()), FrontendKind.CLUSTER_IP);
    }
    for (Address address : input.externalAddresses()) {
      visitor.place(new Place(address, port.port(), port.protocol()), FrontendKind.EXTERNAL_IP);
    }
    for (Address address : input.loadBalancerAddresses()) {
      visitor.place(new Place(address, port.port(), port.protocol()), FrontendKind.LOAD_BALANCER);
    }
    if (port.nodePort() != 0) {
      for (Address address : input.clusterAddresses()) {
        Address any = address.isV4() ? Address.ANY_V4 : Address.ANY_V6;
        visitor.place(new Place(any, port.nodePort(), port.protocol()), FrontendKind.NODE_PORT);
      }
    }
  }

  /** Receives the places of a port. */
  @FunctionalInterface
  interface PlaceVisitor {
    /** One place. */
    void place(Place place, FrontendKind kind);
  }
}
