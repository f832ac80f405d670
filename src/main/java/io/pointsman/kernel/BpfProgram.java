// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/** A loaded BPF program by its file descriptor. */
public final class BpfProgram implements AutoCloseable {
  /** Room that a program may add to a packet in a test run, in bytes. */
  private static final int GROWTH = 512;

  // struct bpf_test_run_opts
  private static final StructLayout OPTIONS =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_LONG.withName("sz"),
          ValueLayout.ADDRESS.withName("data_in"),
          ValueLayout.ADDRESS.withName("data_out"),
          ValueLayout.JAVA_INT.withName("data_size_in"),
          ValueLayout.JAVA_INT.withName("data_size_out"),
          ValueLayout.ADDRESS.withName("ctx_in"),
          ValueLayout.ADDRESS.withName("ctx_out"),
          ValueLayout.JAVA_INT.withName("ctx_size_in"),
          ValueLayout.JAVA_INT.withName("ctx_size_out"),
          ValueLayout.JAVA_INT.withName("retval"),
          ValueLayout.JAVA_INT.withName("repeat"),
          ValueLayout.JAVA_INT.withName("duration"),
          ValueLayout.JAVA_INT.withName("flags"),
          ValueLayout.JAVA_INT.withName("cpu"),
          ValueLayout.JAVA_INT.withName("batch_size"));
  private static final VarHandle SIZE = field("sz");
  private static final VarHandle DATA_IN = field("data_in");
  private static final VarHandle DATA_OUT = field("data_out");
  private static final VarHandle DATA_SIZE_IN = field("data_size_in");
  private static final VarHandle DATA_SIZE_OUT = field("data_size_out");
  private static final VarHandle CTX_IN = field("ctx_in");
  private static final VarHandle CTX_OUT = field("ctx_out");
  private static final VarHandle CTX_SIZE_IN = field("ctx_size_in");
  private static final VarHandle CTX_SIZE_OUT = field("ctx_size_out");
  private static final VarHandle RETVAL = field("retval");
  private static final VarHandle REPEAT = field("repeat");
  private static final VarHandle DURATION = field("duration");

  private final Descriptor descriptor;
  private final String name;
  private final ProgramInfo info;
  private final int attachType;

  BpfProgram(int fd, String name, int attachType) {
    this.descriptor = new Descriptor(fd, "program " + name);
    this.name = name;
    this.attachType = attachType;
    this.info = ProgramInfo.read(fd, name);
  }

  private static VarHandle field(String name) {
    return OPTIONS.varHandle(PathElement.groupElement(name));
  }

  /** The C function's name. */
  public String name() {
    return name;
  }

  /** The file descriptor, for as long as this program is open. */
  public int fd() {
    return descriptor.get();
  }

  /** The kernel's id of the program. */
  public int id() {
    return info.id();
  }

  /** What the kernel says of the program. */
  public ProgramInfo info() {
    return info;
  }

  /** Where its section says that it is attached, as in enum bpf_attach_type. */
  public int attachType() {
    return attachType;
  }

  /** Runs the program on a packet {@code repeat} times, on the loopback device. */
  public TestRun testRun(byte[] packet, int repeat) {
    return testRun(packet, repeat, null);
  }

  /**
   * Runs the program on a packet.
   *
   * @param packet with its Ethernet header; a repeated run starts each time from what the run
   *     before left
   * @param context what the socket buffer says beside its bytes, null for the kernel's defaults
   */
  public TestRun testRun(byte[] packet, int repeat, @Nullable SkbContext context) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_BYTE, packet);
      MemorySegment out = arena.allocate(packet.length + (long) GROWTH);
      MemorySegment options = arena.allocate(OPTIONS);
      SIZE.set(options, 0L, OPTIONS.byteSize());
      DATA_IN.set(options, 0L, in);
      DATA_OUT.set(options, 0L, out);
      DATA_SIZE_IN.set(options, 0L, packet.length);
      DATA_SIZE_OUT.set(options, 0L, (int) out.byteSize());
      REPEAT.set(options, 0L, repeat);
      MemorySegment contextOut = arena.allocate(SkbContext.LAYOUT);
      if (context != null) {
        CTX_IN.set(options, 0L, context.write(arena));
        CTX_SIZE_IN.set(options, 0L, (int) SkbContext.LAYOUT.byteSize());
        CTX_OUT.set(options, 0L, contextOut);
        CTX_SIZE_OUT.set(options, 0L, (int) SkbContext.LAYOUT.byteSize());
      }
      int result = LibbpfFds.testRun(fd(), options);
      if (result < 0) {
        throw new BpfException("test-run program", name, -result);
      }
      int size = (int) DATA_SIZE_OUT.get(options, 0L);
      return new TestRun(
          (int) RETVAL.get(options, 0L),
          out.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE),
          Integer.toUnsignedLong((int) DURATION.get(options, 0L)),
          context == null ? SkbContext.NONE : SkbContext.read(contextOut));
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
