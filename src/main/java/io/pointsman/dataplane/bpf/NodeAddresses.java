// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** The addresses of this node that answer on node ports, in the map {@code node_addr}. */
final class NodeAddresses {
  private static final int PORTION = 256;

  private final BpfMap map;

  NodeAddresses(BpfMap map) {
    this.map = map;
  }

  Set<Address> read() {
    Set<Address> found = new HashSet<>();
    try (BpfMapReader reader = map.reader(PORTION)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          found.add(Layout.address(reader.keys(), (long) i * Layout.ADDR_SIZE));
        }
      }
    }
    return found;
  }

  /** Adds what is missing, then takes away what is too much; returns how many of each. */
  Changes sync(Set<Address> wanted) {
    Set<Address> present = read();
    int written = 0;
    int deleted = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(Layout.ADDR_SIZE, Integer.BYTES);
      MemorySegment flags = arena.allocate(Integer.BYTES, Integer.BYTES);
      for (Address address : wanted) {
        if (!present.contains(address)) {
          Layout.putAddress(key, 0, address);
          map.update(key, flags);
          written++;
        }
      }
      for (Address address : present) {
        if (!wanted.contains(address)) {
          Layout.putAddress(key, 0, address);
          deleted += map.delete(key) ? 1 : 0;
        }
      }
    }
    return new Changes(written, deleted);
  }

  /** How much {@link #sync} changed. */
  record Changes(int written, int deleted) {}
}
