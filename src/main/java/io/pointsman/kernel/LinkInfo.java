// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the kernel knows of a BPF link (struct bpf_link_info).
 *
 * @param type as in enum bpf_link_type: 3 is a cgroup's, 11 is tcx
 * @param programId the program that runs
 * @param target the cgroup's id or the device's index; 0 when what it was attached to is gone
 * @param attachType as in enum bpf_attach_type
 */
public record LinkInfo(int id, int type, int programId, long target, int attachType) {
  static final int TYPE_CGROUP = 3;
  static final int TYPE_TCX = 11;

  private static final long SIZE = 32;
  private static final long TYPE = 0;
  private static final long ID = 4;
  private static final long PROGRAM_ID = 8;
  // The union: cgroup {u64 id; u32 attach_type}, tcx {u32 ifindex; u32 attach_type}.
  private static final long UNION = 16;

  static LinkInfo read(int fd, String object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(SIZE, Long.BYTES);
      InfoBuffer.fill(arena, fd, info, "read info of link", object);
      int type = info.get(ValueLayout.JAVA_INT, TYPE);
      boolean cgroup = type == TYPE_CGROUP;
      return new LinkInfo(
          info.get(ValueLayout.JAVA_INT, ID),
          type,
          info.get(ValueLayout.JAVA_INT, PROGRAM_ID),
          cgroup ? info.get(ValueLayout.JAVA_LONG, UNION) : info.get(ValueLayout.JAVA_INT, UNION),
          info.get(ValueLayout.JAVA_INT, UNION + (cgroup ? Long.BYTES : Integer.BYTES)));
    }
  }
}
