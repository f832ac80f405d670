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
 * The fields of struct __sk_buff that a test run lets its caller set.
 *
 * @param ingressIfindex the device that the packet came in by, 0 for one made here
 * @param ifindex the device it is at; must exist in the caller's network namespace
 * @param gsoSize segment size of an aggregated packet, 0 for a plain one
 */
public record SkbContext(int mark, int ingressIfindex, int ifindex, int gsoSize) {
  /** All zero: what the kernel takes by itself. */
  public static final SkbContext NONE = new SkbContext(0, 0, 0, 0);

  // Offsets by include/uapi/linux/bpf.h; what lies between is left zero as the kernel demands.
  static final StructLayout LAYOUT =
      MemoryLayout.structLayout(
          MemoryLayout.paddingLayout(8), // len, pkt_type
          ValueLayout.JAVA_INT.withName("mark"),
          MemoryLayout.paddingLayout(24), // queue_mapping to priority
          ValueLayout.JAVA_INT.withName("ingress_ifindex"),
          ValueLayout.JAVA_INT.withName("ifindex"),
          MemoryLayout.paddingLayout(132), // tc_index to sk
          ValueLayout.JAVA_INT.withName("gso_size"),
          MemoryLayout.paddingLayout(12)); // tstamp_type, hwtstamp

  private static final VarHandle MARK = field("mark");
  private static final VarHandle INGRESS_IFINDEX = field("ingress_ifindex");
  private static final VarHandle IFINDEX = field("ifindex");
  private static final VarHandle GSO_SIZE = field("gso_size");

  /** A plain packet that came in by a device and is there still. */
  public static SkbContext at(int ifindex) {
    return new SkbContext(0, ifindex, ifindex, 0);
  }

  private static VarHandle field(String name) {
    return LAYOUT.varHandle(PathElement.groupElement(name));
  }

  MemorySegment write(Arena arena) {
    MemorySegment segment = arena.allocate(LAYOUT.byteSize(), Long.BYTES);
    MARK.set(segment, 0L, mark);
    INGRESS_IFINDEX.set(segment, 0L, ingressIfindex);
    IFINDEX.set(segment, 0L, ifindex);
    GSO_SIZE.set(segment, 0L, gsoSize);
    return segment;
  }

  static SkbContext read(MemorySegment segment) {
    return new SkbContext(
        (int) MARK.get(segment, 0L),
        (int) INGRESS_IFINDEX.get(segment, 0L),
        (int) IFINDEX.get(segment, 0L),
        (int) GSO_SIZE.get(segment, 0L));
  }
}
