// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** What the calling thread may do (capset(2)); programs that it starts may do everything again. */
public final class ThreadRights {
  private static final int VERSION_3 = 0x2008_0522;

  private static final MethodHandle CAPGET = bind("capget");
  private static final MethodHandle CAPSET = bind("capset");

  private ThreadRights() {}

  private static MethodHandle bind(String name) {
    return Native.bindErrno(Native.libc(), name, FunctionDescriptor.of(INT, POINTER, POINTER));
  }

  /** Lets the kernel refuse the calling thread, and those that it starts, its netlink requests. */
  public static void dropNetAdmin() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment header = arena.allocateFrom(ValueLayout.JAVA_INT, VERSION_3, 0);
      // Two of: effective, permitted, inheritable.
      MemorySegment data = arena.allocate(ValueLayout.JAVA_INT, 6);
      check((int) CAPGET.invokeExact(Native.capture(), header, data));
      int effective = data.get(ValueLayout.JAVA_INT, 0);
      data.set(ValueLayout.JAVA_INT, 0, effective & ~(1 << Capabilities.NET_ADMIN));
      check((int) CAPSET.invokeExact(Native.capture(), header, data));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static void check(int result) {
    if (result != 0) {
      throw new IllegalStateException("capabilities: errno " + Native.errno());
    }
  }
}
