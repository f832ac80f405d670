// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.FlowTuple;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/** A struct ct_key of bpf/layout.h: a tuple as one of the hooks sees it. */
record FlowKey(
    int hook,
    Address source,
    int sourcePort,
    Address destination,
    int destinationPort,
    int protocol) {
  private static final int V4_OFFSET = 12;

  static FlowKey of(int hook, FlowTuple tuple) {
    return new FlowKey(
        hook,
        Address.of(tuple.source().getAddress()),
        tuple.sourcePort(),
        Address.of(tuple.destination().getAddress()),
        tuple.destinationPort(),
        tuple.protocol());
  }

  FlowTuple tuple() {
    return new FlowTuple(inet(source), sourcePort, inet(destination), destinationPort, protocol);
  }

  private static InetAddress inet(Address address) {
    byte[] bytes = address.bytes();
    try {
      return InetAddress.getByAddress(
          address.isV4() ? Arrays.copyOfRange(bytes, V4_OFFSET, bytes.length) : bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }
}
