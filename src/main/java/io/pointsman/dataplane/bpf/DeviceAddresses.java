// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.DeviceAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The map {@code device}: the addresses that masqueraded packets leave each device with, as the
 * kernel's own MASQUERADE would choose them, and under index 0 the node's.
 */
final class DeviceAddresses {
  private static final int PORTION = 1024;
  private static final int NODE = 0;
  private static final Address NONE = new Address(0, 0);
  private static final int DISCARD = 9;
  // Addresses for documentation (RFC 5737, RFC 3849): asking for the way there sends nothing.
  private static final List<String> FAR_AWAY = List.of("192.0.2.1", "2001:db8::1");

  private final BpfMap map;

  DeviceAddresses(BpfMap map) {
    this.map = map;
  }

  /** The primary addresses of a device, {@code ::} for none. */
  record Primary(Address v4, Address v6) {}

  /** What the map shall hold for some devices. */
  static Map<Integer, Primary> wanted(Collection<Integer> devices, List<DeviceAddress> addresses) {
    Map<Integer, Primary> wanted = new HashMap<>();
    for (int device : devices) {
      wanted.put(device, new Primary(NONE, NONE));
    }
    Primary first = new Primary(NONE, NONE);
    for (DeviceAddress address : addresses) {
      if (address.primary()) {
        Address parsed = Address.parse(address.address().getHostAddress());
        wanted.computeIfPresent(address.index(), (index, before) -> add(before, parsed));
        first = add(first, parsed);
      }
    }
    for (String destination : FAR_AWAY) {
      Address source = sourceTowards(destination);
      if (!source.equals(NONE)) {
        first = source.isV4() ? new Primary(source, first.v6()) : new Primary(first.v4(), source);
      }
    }
    wanted.put(NODE, first);
    return wanted;
  }

  Map<Integer, Primary> read() {
    Map<Integer, Primary> found = new HashMap<>();
    try (BpfMapReader reader = map.reader(PORTION)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          long value = (long) i * Layout.DEVICE_SIZE;
          found.put(
              reader.keys().getAtIndex(ValueLayout.JAVA_INT, i),
              new Primary(
                  Layout.address(reader.values(), value + Layout.DEVICE_V4),
                  Layout.address(reader.values(), value + Layout.DEVICE_V6)));
        }
      }
    }
    return found;
  }

  /** Writes what differs; returns how many entries. */
  int sync(Map<Integer, Primary> wanted) {
    Map<Integer, Primary> present = read();
    int changed = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment value = arena.allocate(Layout.DEVICE_SIZE, Integer.BYTES);
      for (Map.Entry<Integer, Primary> entry : wanted.entrySet()) {
        if (!entry.getValue().equals(present.get(entry.getKey()))) {
          key.set(ValueLayout.JAVA_INT, 0, entry.getKey());
          Layout.putAddress(value, Layout.DEVICE_V4, entry.getValue().v4());
          Layout.putAddress(value, Layout.DEVICE_V6, entry.getValue().v6());
          map.update(key, value);
          changed++;
        }
      }
      for (int device : present.keySet()) {
        if (!wanted.containsKey(device)) {
          key.set(ValueLayout.JAVA_INT, 0, device);
          changed += map.delete(key) ? 1 : 0;
        }
      }
    }
    return changed;
  }

  private static Primary add(Primary before, Address address) {
    if (address.isV4()) {
      return before.v4().equals(NONE) ? new Primary(address, before.v6()) : before;
    }
    return before.v6().equals(NONE) ? new Primary(before.v4(), address) : before;
  }

  /** The source that the kernel's routes choose, {@code ::} when there is no route. */
  private static Address sourceTowards(String destination) {
    try (DatagramChannel channel = DatagramChannel.open()) {
      channel.connect(new InetSocketAddress(InetAddress.ofLiteral(destination), DISCARD));
      InetSocketAddress local = (InetSocketAddress) channel.getLocalAddress();
      InetAddress source = local.getAddress();
      return source.isAnyLocalAddress() || source.isLinkLocalAddress()
          ? NONE
          : Address.parse(source.getHostAddress());
    } catch (IOException e) {
      return NONE; // no route, or no such family on this node
    }
  }
}
