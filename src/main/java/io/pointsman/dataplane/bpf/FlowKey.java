// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.FlowTuple;

/** A struct ct_key of bpf/layout.h: a tuple as one of the hooks sees it. */
record FlowKey(
    int hook,
    Address source,
    int sourcePort,
    Address destination,
    int destinationPort,
    int protocol) {
  static FlowKey of(int hook, FlowTuple tuple) {
    return new FlowKey(
        hook,
        Address.of(tuple.source()),
        tuple.sourcePort(),
        Address.of(tuple.destination()),
        tuple.destinationPort(),
        tuple.protocol());
  }

  /** Of the packets that come the other way, at the same hook. */
  FlowKey reversed() {
    return new FlowKey(hook, destination, destinationPort, source, sourcePort, protocol);
  }

  FlowTuple tuple() {
    return new FlowTuple(source.inet(), sourcePort, destination.inet(), destinationPort, protocol);
  }
}
