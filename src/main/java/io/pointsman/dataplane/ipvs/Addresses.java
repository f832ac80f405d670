// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.VirtualServer;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Turns the catalogue's addresses into the kernel's and back. */
final class Addresses {
  private static final int V4_OFFSET = 12;

  private Addresses() {}

  static InetAddress inet(Address address) {
    byte[] bytes = address.bytes();
    try {
      return InetAddress.getByAddress(
          address.isV4() ? Arrays.copyOfRange(bytes, V4_OFFSET, bytes.length) : bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }

  static Address of(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return bytes.capacity() == Integer.BYTES
        ? Address.ofV4(bytes.getInt())
        : new Address(bytes.getLong(), bytes.getLong());
  }

  static RealServer real(Backend backend) {
    return new RealServer(inet(backend.address()), backend.port());
  }

  static VirtualServer virtual(Address address, int port, int protocol) {
    return new VirtualServer(inet(address), port, protocol);
  }
}
