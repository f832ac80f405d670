// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.VirtualServer;

/** Turns the catalogue's frontends and backends into ip_vs's servers. */
final class Addresses {
  private Addresses() {}

  static RealServer real(Backend backend) {
    return new RealServer(backend.address().inet(), backend.port());
  }

  static VirtualServer virtual(Address address, int port, int protocol) {
    return new VirtualServer(address.inet(), port, protocol);
  }
}
