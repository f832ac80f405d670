// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Calls of libbpf's bpf.h on file descriptors of programs, links and pins; each returns a
 * descriptor or 0, or a negative error number.
 */
final class LibbpfFds {
  private static final SymbolLookup LIBRARY = Libbpf.quietSymbols();

  // struct bpf_link_create_opts up to flags: the rest may be left out (sz says so).
  private static final long LINK_OPTS_SIZE = 16;
  private static final long LINK_OPTS_FLAGS = 8;

  private static final MethodHandle PIN =
      bind("bpf_obj_pin", FunctionDescriptor.of(INT, INT, POINTER));
  private static final MethodHandle GET = bind("bpf_obj_get", FunctionDescriptor.of(INT, POINTER));
  private static final MethodHandle INFO =
      bind("bpf_obj_get_info_by_fd", FunctionDescriptor.of(INT, INT, POINTER, POINTER));
  private static final MethodHandle LINK_CREATE =
      bind("bpf_link_create", FunctionDescriptor.of(INT, INT, INT, INT, POINTER));
  private static final MethodHandle LINK_UPDATE =
      bind("bpf_link_update", FunctionDescriptor.of(INT, INT, INT, POINTER));
  private static final MethodHandle LINK_DETACH =
      bind("bpf_link_detach", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle PROGRAM_BY_ID =
      bind("bpf_prog_get_fd_by_id", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle QUERY =
      bind("bpf_prog_query", FunctionDescriptor.of(INT, INT, INT, INT, POINTER, POINTER, POINTER));
  private static final MethodHandle TEST_RUN =
      bind("bpf_prog_test_run_opts", FunctionDescriptor.of(INT, INT, POINTER));

  private LibbpfFds() {}

  private static MethodHandle bind(String name, FunctionDescriptor type) {
    return Native.bind(LIBRARY, name, type);
  }

  static int pin(int fd, String path) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) PIN.invokeExact(fd, arena.allocateFrom(path));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int get(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) GET.invokeExact(arena.allocateFrom(path));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int info(int fd, MemorySegment info, MemorySegment length) {
    try {
      return (int) INFO.invokeExact(fd, info, length);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** The target is a cgroup's descriptor or a device's index, as the attach type wants it. */
  static int linkCreate(int program, int target, int attachType, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(LINK_OPTS_SIZE, Long.BYTES);
      options.set(ValueLayout.JAVA_LONG, 0, LINK_OPTS_SIZE);
      options.set(ValueLayout.JAVA_INT, LINK_OPTS_FLAGS, flags);
      return (int) LINK_CREATE.invokeExact(program, target, attachType, options);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int linkUpdate(int link, int program) {
    try {
      return (int) LINK_UPDATE.invokeExact(link, program, MemorySegment.NULL);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int linkDetach(int link) {
    try {
      return (int) LINK_DETACH.invokeExact(link);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int programById(int id) {
    try {
      return (int) PROGRAM_BY_ID.invokeExact(id);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int query(
      int target, int attachType, MemorySegment flags, MemorySegment ids, MemorySegment count) {
    try {
      return (int) QUERY.invokeExact(target, attachType, 0, flags, ids, count);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int testRun(int program, MemorySegment options) {
    try {
      return (int) TEST_RUN.invokeExact(program, options);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
