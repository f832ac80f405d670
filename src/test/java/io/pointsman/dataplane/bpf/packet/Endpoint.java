// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import java.util.Arrays;

/** An address and a port of TCP or UDP. */
record Endpoint(Address address, int port) {
  static Endpoint of(String address, int port) {
    return new Endpoint(Address.parse(address), port);
  }

  boolean isV4() {
    return address.isV4();
  }

  Endpoint withPort(int other) {
    return new Endpoint(address, other);
  }

  /** The address as it stands in a packet: 4 or 16 bytes. */
  byte[] wire() {
    byte[] all = address.bytes();
    return isV4() ? Arrays.copyOfRange(all, 12, 16) : all;
  }
}
