// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Attaches programs to a device by a clsact qdisc and a direct-action filter, for kernels before
 * 6.6. Replacing the program of a filter is atomic. Works on the calling thread's network
 * namespace.
 */
public final class TcFilter {
  private static final int REPLACE = 1; // BPF_TC_F_REPLACE
  private static final int BOTH = 3; // BPF_TC_INGRESS | BPF_TC_EGRESS

  private static final StructLayout HOOK =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_LONG.withName("sz"),
          ValueLayout.JAVA_INT.withName("ifindex"),
          ValueLayout.JAVA_INT.withName("attach_point"),
          ValueLayout.JAVA_INT.withName("parent"),
          MemoryLayout.paddingLayout(4));
  private static final VarHandle HOOK_SIZE = field(HOOK, "sz");
  private static final VarHandle HOOK_IFINDEX = field(HOOK, "ifindex");
  private static final VarHandle HOOK_POINT = field(HOOK, "attach_point");

  private static final StructLayout OPTIONS =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_LONG.withName("sz"),
          ValueLayout.JAVA_INT.withName("prog_fd"),
          ValueLayout.JAVA_INT.withName("flags"),
          ValueLayout.JAVA_INT.withName("prog_id"),
          ValueLayout.JAVA_INT.withName("handle"),
          ValueLayout.JAVA_INT.withName("priority"),
          MemoryLayout.paddingLayout(4));
  private static final VarHandle OPTIONS_SIZE = field(OPTIONS, "sz");
  private static final VarHandle OPTIONS_PROGRAM = field(OPTIONS, "prog_fd");
  private static final VarHandle OPTIONS_FLAGS = field(OPTIONS, "flags");
  private static final VarHandle OPTIONS_HANDLE = field(OPTIONS, "handle");
  private static final VarHandle OPTIONS_PRIORITY = field(OPTIONS, "priority");

  private static final MethodHandle CREATE = bind("bpf_tc_hook_create", 1);
  private static final MethodHandle DESTROY = bind("bpf_tc_hook_destroy", 1);
  private static final MethodHandle ATTACH = bind("bpf_tc_attach", 2);
  private static final MethodHandle DETACH = bind("bpf_tc_detach", 2);

  private TcFilter() {}

  /** Attaches a program, or replaces the one at the same place. */
  public static void attach(
      BpfProgram program, int ifindex, TcDirection direction, int handle, int priority) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment hook = hook(arena, ifindex, direction.attachPoint());
      int created = (int) CREATE.invokeExact(hook);
      if (created != -Errno.EEXIST.number()) {
        check(created, "create clsact on", ifindex);
      }
      MemorySegment options = options(arena, handle, priority);
      OPTIONS_PROGRAM.set(options, 0L, program.fd());
      OPTIONS_FLAGS.set(options, 0L, REPLACE);
      check((int) ATTACH.invokeExact(hook, options), "attach " + program.name() + " to", ifindex);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Detaches the program at a place; nothing happens when there is none. */
  public static void detach(int ifindex, TcDirection direction, int handle, int priority) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment hook = hook(arena, ifindex, direction.attachPoint());
      int result = (int) DETACH.invokeExact(hook, options(arena, handle, priority));
      if (!gone(result)) {
        check(result, "detach program from", ifindex);
      }
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Takes the clsact qdisc away with all that is attached to it; nothing when there is none. */
  public static void destroy(int ifindex) {
    try (Arena arena = Arena.ofConfined()) {
      int result = (int) DESTROY.invokeExact(hook(arena, ifindex, BOTH));
      if (!gone(result)) {
        check(result, "remove clsact from", ifindex);
      }
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** No such filter, no such qdisc, no such device. */
  private static boolean gone(int result) {
    return result == -Errno.ENOENT.number()
        || result == -Errno.EINVAL.number()
        || result == -Errno.ENODEV.number();
  }

  private static MemorySegment hook(Arena arena, int ifindex, int attachPoint) {
    MemorySegment hook = arena.allocate(HOOK);
    HOOK_SIZE.set(hook, 0L, HOOK.byteSize());
    HOOK_IFINDEX.set(hook, 0L, ifindex);
    HOOK_POINT.set(hook, 0L, attachPoint);
    return hook;
  }

  private static MemorySegment options(Arena arena, int handle, int priority) {
    MemorySegment options = arena.allocate(OPTIONS);
    OPTIONS_SIZE.set(options, 0L, OPTIONS.byteSize());
    OPTIONS_HANDLE.set(options, 0L, handle);
    OPTIONS_PRIORITY.set(options, 0L, priority);
    return options;
  }

  private static void check(int result, String operation, int ifindex) {
    if (result < 0) {
      throw new BpfException(
          operation, "device index " + ifindex, -result, Libbpf.takeMessages(), "");
    }
  }

  private static VarHandle field(StructLayout layout, String name) {
    return layout.varHandle(PathElement.groupElement(name));
  }

  private static MethodHandle bind(String name, int pointers) {
    FunctionDescriptor type =
        pointers == 1
            ? FunctionDescriptor.of(INT, POINTER)
            : FunctionDescriptor.of(INT, POINTER, POINTER);
    return Native.bind(Libbpf.quietSymbols(), name, type);
  }
}
