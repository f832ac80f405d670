// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.net.InetAddress;

/**
 * Where the packets of one direction of a flow come from and go to.
 *
 * @param protocol the IANA number
 */
public record FlowTuple(
    InetAddress source,
    int sourcePort,
    InetAddress destination,
    int destinationPort,
    int protocol) {
  /** What answers carry, when nothing is translated. */
  public FlowTuple reversed() {
    return new FlowTuple(destination, destinationPort, source, sourcePort, protocol);
  }

  @Override
  public String toString() {
    return "%s port %d to %s port %d, protocol %d"
        .formatted(
            source.getHostAddress(),
            sourcePort,
            destination.getHostAddress(),
            destinationPort,
            protocol);
  }
}
