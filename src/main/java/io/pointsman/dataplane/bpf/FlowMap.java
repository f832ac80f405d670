// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.UpdateMode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiConsumer;

/** The pinned map {@code ct}, entry by entry. For one thread. */
final class FlowMap implements AutoCloseable {
  private static final int PORTION = 16_384;

  private final BpfMap map;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment key = arena.allocate(Layout.CT_KEY_SIZE, Long.BYTES);
  private final MemorySegment value = arena.allocate(Layout.CT_SIZE, Long.BYTES);

  FlowMap(Path pin) {
    this.map = BpfMap.openPinned(pin);
  }

  /** Hands over every entry; those that change meanwhile may be seen or not. */
  void forEach(BiConsumer<FlowKey, FlowEntry> consumer) {
    try (BpfMapReader reader = map.reader(PORTION)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          consumer.accept(
              key(reader.keys(), (long) i * Layout.CT_KEY_SIZE),
              entry(reader.values(), (long) i * Layout.CT_SIZE));
        }
      }
    }
  }

  Optional<FlowEntry> find(FlowKey wanted) {
    put(wanted);
    return map.lookup(key, value) ? Optional.of(entry(value, 0)) : Optional.empty();
  }

  /** Adds an entry; false when the programs have one. */
  boolean add(FlowKey added, FlowEntry entry) {
    put(added);
    put(entry);
    try {
      map.update(key, value, UpdateMode.ADD);
      return true;
    } catch (BpfException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
      return false;
    }
  }

  /** Replaces an entry; false when the programs have none any more. */
  boolean replace(FlowKey replaced, FlowEntry entry) {
    put(replaced);
    put(entry);
    try {
      map.update(key, value, UpdateMode.REPLACE);
      return true;
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      return false;
    }
  }

  /** Adds an entry, or replaces the one that is there. */
  void put(FlowKey written, FlowEntry entry) {
    put(written);
    put(entry);
    map.update(key, value);
  }

  boolean delete(FlowKey deleted) {
    put(deleted);
    return map.delete(key);
  }

  @Override
  public void close() {
    arena.close();
    map.close();
  }

  private void put(FlowKey from) {
    Layout.putAddress(key, Layout.CT_KEY_SOURCE, from.source());
    Layout.putAddress(key, Layout.CT_KEY_DESTINATION, from.destination());
    Layout.putPort(key, Layout.CT_KEY_SOURCE_PORT, from.sourcePort());
    Layout.putPort(key, Layout.CT_KEY_DESTINATION_PORT, from.destinationPort());
    Layout.putByte(key, Layout.CT_KEY_PROTO, from.protocol());
    Layout.putByte(key, Layout.CT_KEY_HOOK, from.hook());
  }

  private void put(FlowEntry from) {
    value.fill((byte) 0);
    Layout.putAddress(value, Layout.CT_ADDR, from.address());
    Layout.putPort(value, Layout.CT_PORT, from.port());
    Layout.putShort(value, Layout.CT_FLAGS, from.flags());
    Layout.putInt(value, Layout.CT_SERVICE, from.service());
    Layout.putLong(value, Layout.CT_LAST_SEEN, from.lastSeen());
  }

  private static FlowKey key(MemorySegment keys, long at) {
    return new FlowKey(
        Layout.getByte(keys, at + Layout.CT_KEY_HOOK),
        Layout.address(keys, at + Layout.CT_KEY_SOURCE),
        Layout.port(keys, at + Layout.CT_KEY_SOURCE_PORT),
        Layout.address(keys, at + Layout.CT_KEY_DESTINATION),
        Layout.port(keys, at + Layout.CT_KEY_DESTINATION_PORT),
        Layout.getByte(keys, at + Layout.CT_KEY_PROTO));
  }

  private static FlowEntry entry(MemorySegment values, long at) {
    return new FlowEntry(
        Layout.address(values, at + Layout.CT_ADDR),
        Layout.port(values, at + Layout.CT_PORT),
        Layout.getShort(values, at + Layout.CT_FLAGS),
        Layout.getInt(values, at + Layout.CT_SERVICE),
        Layout.getLong(values, at + Layout.CT_LAST_SEEN));
  }
}
