// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * What the kernel knows of a map (struct bpf_map_info).
 *
 * @param type as in enum bpf_map_type
 * @param keySize bytes
 * @param valueSize bytes, of one CPU where the map is per-CPU
 * @param flags as given at creation
 */
public record MapInfo(
    int type, int id, int keySize, int valueSize, int maxEntries, int flags, String name) {
  private static final int NAME_LENGTH = 16;
  private static final StructLayout LAYOUT =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_INT.withName("type"),
          ValueLayout.JAVA_INT.withName("id"),
          ValueLayout.JAVA_INT.withName("key_size"),
          ValueLayout.JAVA_INT.withName("value_size"),
          ValueLayout.JAVA_INT.withName("max_entries"),
          ValueLayout.JAVA_INT.withName("map_flags"),
          MemoryLayout.sequenceLayout(NAME_LENGTH, ValueLayout.JAVA_BYTE).withName("name"));
  private static final VarHandle TYPE = field("type");
  private static final VarHandle ID = field("id");
  private static final VarHandle KEY_SIZE = field("key_size");
  private static final VarHandle VALUE_SIZE = field("value_size");
  private static final VarHandle MAX_ENTRIES = field("max_entries");
  private static final VarHandle FLAGS = field("map_flags");
  private static final long NAME = LAYOUT.byteOffset(PathElement.groupElement("name"));

  private static VarHandle field(String name) {
    return LAYOUT.varHandle(PathElement.groupElement(name));
  }

  static MapInfo read(int fd, String object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = InfoBuffer.read(arena, fd, LAYOUT, "read info of map", object);
      return new MapInfo(
          (int) TYPE.get(info, 0L),
          (int) ID.get(info, 0L),
          (int) KEY_SIZE.get(info, 0L),
          (int) VALUE_SIZE.get(info, 0L),
          (int) MAX_ENTRIES.get(info, 0L),
          (int) FLAGS.get(info, 0L),
          info.getString(NAME));
    }
  }
}
