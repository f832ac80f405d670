// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.HexFormat;

/**
 * What the kernel knows of a program (struct bpf_prog_info).
 *
 * @param tag hash of the instructions, as bpftool prints it
 * @param name at most 15 characters
 */
public record ProgramInfo(int id, int type, String tag, String name) {
  private static final int TAG_SIZE = 8;
  private static final int NAME_LENGTH = 16;
  private static final StructLayout LAYOUT =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_INT.withName("type"),
          ValueLayout.JAVA_INT.withName("id"),
          MemoryLayout.sequenceLayout(TAG_SIZE, ValueLayout.JAVA_BYTE).withName("tag"),
          MemoryLayout.paddingLayout(8), // jited_prog_len, xlated_prog_len
          MemoryLayout.paddingLayout(16), // jited_prog_insns, xlated_prog_insns
          MemoryLayout.paddingLayout(16), // load_time, created_by_uid, nr_map_ids
          MemoryLayout.paddingLayout(8), // map_ids
          MemoryLayout.sequenceLayout(NAME_LENGTH, ValueLayout.JAVA_BYTE).withName("name"));
  private static final VarHandle TYPE = LAYOUT.varHandle(PathElement.groupElement("type"));
  private static final VarHandle ID = LAYOUT.varHandle(PathElement.groupElement("id"));
  private static final long TAG = LAYOUT.byteOffset(PathElement.groupElement("tag"));
  private static final long NAME = LAYOUT.byteOffset(PathElement.groupElement("name"));

  static ProgramInfo read(int fd, String object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = InfoBuffer.read(arena, fd, LAYOUT, "read info of program", object);
      byte[] tag = info.asSlice(TAG, TAG_SIZE).toArray(ValueLayout.JAVA_BYTE);
      return new ProgramInfo(
          (int) ID.get(info, 0L),
          (int) TYPE.get(info, 0L),
          HexFormat.of().formatHex(tag),
          info.getString(NAME));
    }
  }
}
