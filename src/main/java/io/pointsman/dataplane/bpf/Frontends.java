// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Asks the pinned maps whether an address is a frontend, as the programs do. For one thread. */
final class Frontends implements AutoCloseable {
  private static final long LOOPBACK_V4 = 0xffff_7f00_0000L;
  private static final long LOOPBACK_V4_MASK = 0xffff_ff00_0000L;

  private final BpfMap frontends;
  private final BpfMap nodeAddresses;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment key = arena.allocate(Layout.FE_KEY_SIZE, Long.BYTES);
  private final MemorySegment value = arena.allocate(Layout.FE_SIZE, Long.BYTES);

  Frontends(Pins pins) {
    this.frontends = BpfMap.openPinned(pins.map(Layout.NAT_FE));
    this.nodeAddresses = BpfMap.openPinned(pins.map(Layout.NODE_ADDR));
  }

  /** Whether packets to there are a Service's; a node port is one at addresses of the node. */
  boolean serve(Address address, int port, int protocol) {
    return isFrontend(address, port, protocol)
        || isNodes(address)
            && isFrontend(address.isV4() ? Address.ANY_V4 : Address.ANY_V6, port, protocol);
  }

  private boolean isFrontend(Address address, int port, int protocol) {
    Layout.putFrontendKey(key, 0, address, port, protocol);
    return frontends.lookup(key, value);
  }

  private boolean isNodes(Address address) {
    boolean loopback =
        address.isV4()
            ? (address.low() & LOOPBACK_V4_MASK) == LOOPBACK_V4
            : address.high() == 0 && address.low() == 1;
    Layout.putAddress(key, 0, address);
    return loopback || nodeAddresses.lookup(key, value);
  }

  @Override
  public void close() {
    arena.close();
    frontends.close();
    nodeAddresses.close();
  }
}
