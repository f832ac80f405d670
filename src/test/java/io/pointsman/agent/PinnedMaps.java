// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.UpdateMode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** nat_fe and nat_be read, and spoiled, by hand: offsets are those of bpf/layout.h. */
final class PinnedMaps {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final int FE_KEY = 20;
  private static final int FE = 32;
  private static final int BE_KEY = 8;
  private static final int BE = 28;

  private PinnedMaps() {}

  /** Every frontend ({@code address:port}) with its backends in order. */
  static Map<String, List<String>> read(Path root) {
    Map<String, String> backends = new HashMap<>();
    Map<String, List<String>> frontends = new TreeMap<>();
    try (BpfMap be = open(root, "nat_be");
        BpfMapReader reader = be.reader(1024)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          MemorySegment key = reader.keys().asSlice((long) i * BE_KEY, BE_KEY);
          backends.put(
              key.get(INT, 0) + "/" + key.get(INT, 4), place(reader.values(), (long) i * BE));
        }
      }
    }
    try (BpfMap fe = open(root, "nat_fe");
        BpfMapReader reader = fe.reader(1024)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          MemorySegment value = reader.values().asSlice((long) i * FE, FE);
          List<String> found = new ArrayList<>();
          for (int ordinal = 0; ordinal < value.get(INT, 4); ordinal++) {
            found.add(backends.getOrDefault(value.get(INT, 0) + "/" + ordinal, "nothing"));
          }
          frontends.put(place(reader.keys(), (long) i * FE_KEY), found);
        }
      }
    }
    return frontends;
  }

  /** Deletes a frontend behind everybody's back. */
  static void delete(Path root, String frontend) {
    try (BpfMap fe = open(root, "nat_fe");
        BpfMapReader reader = fe.reader(1024);
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(FE_KEY);
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          if (place(reader.keys(), (long) i * FE_KEY).equals(frontend)) {
            key.copyFrom(reader.keys().asSlice((long) i * FE_KEY, FE_KEY));
          }
        }
      }
      if (!fe.delete(key)) {
        throw new IllegalStateException(frontend + " is not in the map");
      }
    }
  }

  /** Lets a backend lead to another port behind everybody's back. */
  static void falsify(Path root, String backend) {
    try (BpfMap be = open(root, "nat_be");
        BpfMapReader reader = be.reader(1024);
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(BE_KEY);
      MemorySegment value = arena.allocate(BE);
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          if (place(reader.values(), (long) i * BE).equals(backend)) {
            key.copyFrom(reader.keys().asSlice((long) i * BE_KEY, BE_KEY));
            value.copyFrom(reader.values().asSlice((long) i * BE, BE));
          }
        }
      }
      value.set(ValueLayout.JAVA_BYTE, 17, (byte) (value.get(ValueLayout.JAVA_BYTE, 17) + 1));
      be.update(key, value, UpdateMode.REPLACE);
    }
  }

  private static BpfMap open(Path root, String name) {
    return BpfMap.openPinned(root.resolve("v1").resolve(name));
  }

  private static String place(MemorySegment segment, long offset) {
    byte[] address = segment.asSlice(offset, 16).toArray(ValueLayout.JAVA_BYTE);
    int high = segment.get(ValueLayout.JAVA_BYTE, offset + 16) & 0xff;
    int low = segment.get(ValueLayout.JAVA_BYTE, offset + 17) & 0xff;
    try {
      return InetAddress.getByAddress(address).getHostAddress() + ":" + (high << 8 | low);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
