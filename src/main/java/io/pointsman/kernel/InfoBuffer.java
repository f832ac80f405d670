// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Asks BPF_OBJ_GET_INFO_BY_FD for as much of an info structure as a layout has. */
final class InfoBuffer {
  private InfoBuffer() {}

  static MemorySegment read(
      Arena arena, int fd, MemoryLayout layout, String operation, String object) {
    MemorySegment info = arena.allocate(layout.byteSize(), Long.BYTES);
    fill(arena, fd, info, operation, object);
    return info;
  }

  static void fill(Arena arena, int fd, MemorySegment info, String operation, String object) {
    MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) info.byteSize());
    int result = LibbpfFds.info(fd, info, length);
    if (result < 0) {
      throw new BpfException(operation, object, -result);
    }
  }
}
