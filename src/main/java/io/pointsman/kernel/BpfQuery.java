// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds out which programs are attached, whoever attached them. */
public final class BpfQuery {
  private static final int MAX_PROGRAMS = 64;

  private BpfQuery() {}

  /** The programs that are attached to a cgroup itself at an attach type. */
  public static List<AttachedProgram> cgroup(Path cgroup, int attachType) {
    int target = Libc.open(cgroup.toString());
    try {
      return query(target, attachType, "cgroup " + cgroup);
    } finally {
      Libc.close(target);
    }
  }

  /** The programs that are attached to a device by tcx; from kernel 6.6. */
  public static List<AttachedProgram> tcx(int ifindex, TcDirection direction) {
    return query(ifindex, direction.tcxAttachType(), "device index " + ifindex);
  }

  /** The program with an id; without a name when the kernel does not tell. */
  public static AttachedProgram describe(int id) {
    int fd = LibbpfFds.programById(id);
    if (fd < 0) {
      return new AttachedProgram(id, "");
    }
    try {
      return new AttachedProgram(id, ProgramInfo.read(fd, "id " + id).name());
    } finally {
      Libc.close(fd);
    }
  }

  private static List<AttachedProgram> query(int target, int attachType, String object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment ids = arena.allocate(ValueLayout.JAVA_INT, MAX_PROGRAMS);
      MemorySegment count = arena.allocateFrom(ValueLayout.JAVA_INT, MAX_PROGRAMS);
      int result = LibbpfFds.query(target, attachType, flags, ids, count);
      if (result == -Errno.ENOENT.number()) {
        return List.of(); // a device that never had a program
      }
      if (result < 0 && result != -Errno.ENOSPC.number()) {
        throw new BpfException("query programs of", object, -result);
      }
      List<AttachedProgram> found = new ArrayList<>();
      int number = Math.min(MAX_PROGRAMS, count.get(ValueLayout.JAVA_INT, 0));
      for (int i = 0; i < number; i++) {
        found.add(describe(ids.getAtIndex(ValueLayout.JAVA_INT, i)));
      }
      return found;
    }
  }
}
