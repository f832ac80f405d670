// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The clock that BPF programs read with bpf_ktime_get_boot_ns. */
public final class Clock {
  private static final int CLOCK_BOOTTIME = 7;
  private static final long SECOND = 1_000_000_000L;
  private static final MethodHandle GETTIME =
      Native.bindErrno(Native.libc(), "clock_gettime", FunctionDescriptor.of(INT, INT, POINTER));

  private Clock() {}

  /** Nanoseconds since the machine booted, with the time it slept. */
  public static long bootNanos() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(ValueLayout.JAVA_LONG, 2);
      int result = (int) GETTIME.invokeExact(Native.capture(), CLOCK_BOOTTIME, time);
      if (result < 0) {
        throw new KernelException("read clock", "CLOCK_BOOTTIME", Native.errno());
      }
      return time.getAtIndex(ValueLayout.JAVA_LONG, 0) * SECOND
          + time.getAtIndex(ValueLayout.JAVA_LONG, 1);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
