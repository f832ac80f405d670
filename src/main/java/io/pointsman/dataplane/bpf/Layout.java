// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.FrontendKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The Java twin of bpf/layout.h: names, sizes and offsets in bytes of what is in the pinned maps. A
 * change of either is a new {@link #VERSION}. Addresses and ports are in network order, all else in
 * the machine's.
 */
final class Layout {
  static final int VERSION = 1;

  static final String NAT_FE = "nat_fe";
  static final String NAT_BE = "nat_be";
  static final String CT = "ct";
  static final String SOCK_NAT = "sock_nat";
  static final String NODE_ADDR = "node_addr";
  static final String DEVICE = "device";
  static final String CONFIG = "config";
  static final String COUNTERS = "counters";

  static final int ADDR_SIZE = 16;

  /** struct nat_fe_key. */
  static final int FE_KEY_SIZE = 20;

  static final int FE_KEY_ADDR = 0;
  static final int FE_KEY_PORT = 16;
  static final int FE_KEY_PROTO = 18;
  static final int FE_KEY_SCOPE = 19;

  /** struct nat_fe. */
  static final int FE_SIZE = 32;

  static final int FE_ID = 0;
  static final int FE_COUNT = 4;
  static final int FE_LOCAL = 8;
  static final int FE_SERVICE = 12;
  static final int FE_AFFINITY = 16;
  static final int FE_FLAGS = 20;
  static final int FE_CURSOR = 24;
  static final int FE_SCHEDULER = 28;
  static final int FE_KIND = 29;
  static final int FE_TERMINATING = 30;

  /** struct nat_be_key. */
  static final int BE_KEY_SIZE = 8;

  static final int BE_KEY_ID = 0;
  static final int BE_KEY_ORDINAL = 4;

  /** struct nat_be. */
  static final int BE_SIZE = 28;

  static final int BE_ADDR = 0;
  static final int BE_PORT = 16;
  static final int BE_WEIGHT = 18;
  static final int BE_FLAGS = 20;
  static final int BE_ID = 24;
  static final int BE_LOCAL = 1;

  /** struct ct_key. */
  static final int CT_KEY_SIZE = 40;

  static final int CT_KEY_SOURCE = 0;
  static final int CT_KEY_DESTINATION = 16;
  static final int CT_KEY_SOURCE_PORT = 32;
  static final int CT_KEY_DESTINATION_PORT = 34;
  static final int CT_KEY_PROTO = 36;
  static final int CT_KEY_HOOK = 37;
  static final int CT_INGRESS = 0;
  static final int CT_EGRESS = 1;
  static final int CT_SOCKET = 2;

  /** struct ct. */
  static final int CT_SIZE = 40;

  static final int CT_ADDR = 0;
  static final int CT_PORT = 16;
  static final int CT_FLAGS = 18;
  static final int CT_SERVICE = 20;
  static final int CT_LAST_SEEN = 24;
  static final int CT_FORWARD = 1;
  static final int CT_SEEN_REPLY = 2;
  static final int CT_CLOSING = 4;
  static final int CT_MASQUERADED = 8;
  static final int CT_STACK = 16;
  static final int CT_HELD = 32;

  /** struct device. */
  static final int DEVICE_SIZE = 32;

  static final int DEVICE_V4 = 0;
  static final int DEVICE_V6 = 16;

  /** struct config. */
  static final int CONFIG_SIZE = 40;

  static final int CONFIG_PHASE = 0;
  static final int CONFIG_MASQUERADE_LOW = 4;
  static final int CONFIG_MASQUERADE_HIGH = 6;
  static final int CONFIG_HOST_NETNS = 8;
  static final int CONFIG_NODE_PORT_LOW = 16;
  static final int CONFIG_NODE_PORT_HIGH = 18;
  static final int CONFIG_UDP_TIMEOUT = 20;
  static final int CONFIG_STREAM_TIMEOUT = 22;

  private static final ValueLayout.OfLong NETWORK_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfShort NETWORK_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private Layout() {}

  static void putAddress(MemorySegment segment, long at, Address address) {
    segment.set(NETWORK_LONG, at, address.high());
    segment.set(NETWORK_LONG, at + Long.BYTES, address.low());
  }

  static long addressHigh(MemorySegment segment, long at) {
    return segment.get(NETWORK_LONG, at);
  }

  static long addressLow(MemorySegment segment, long at) {
    return segment.get(NETWORK_LONG, at + Long.BYTES);
  }

  static Address address(MemorySegment segment, long at) {
    return new Address(addressHigh(segment, at), addressLow(segment, at));
  }

  static void putPort(MemorySegment segment, long at, int port) {
    segment.set(NETWORK_SHORT, at, (short) port);
  }

  static int port(MemorySegment segment, long at) {
    return Short.toUnsignedInt(segment.get(NETWORK_SHORT, at));
  }

  static void putInt(MemorySegment segment, long at, int value) {
    segment.set(INT, at, value);
  }

  static int getInt(MemorySegment segment, long at) {
    return segment.get(INT, at);
  }

  static void putLong(MemorySegment segment, long at, long value) {
    segment.set(LONG, at, value);
  }

  static long getLong(MemorySegment segment, long at) {
    return segment.get(LONG, at);
  }

  static void putShort(MemorySegment segment, long at, int value) {
    segment.set(SHORT, at, (short) value);
  }

  static int getShort(MemorySegment segment, long at) {
    return Short.toUnsignedInt(segment.get(SHORT, at));
  }

  static void putByte(MemorySegment segment, long at, int value) {
    segment.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  static int getByte(MemorySegment segment, long at) {
    return Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, at));
  }

  /** Writes a struct nat_fe_key. */
  static void putFrontendKey(
      MemorySegment segment, long at, Address address, int port, int protocol) {
    putAddress(segment, at + FE_KEY_ADDR, address);
    putPort(segment, at + FE_KEY_PORT, port);
    putByte(segment, at + FE_KEY_PROTO, protocol);
    putByte(segment, at + FE_KEY_SCOPE, 0);
  }

  /** Writes a struct nat_be_key. */
  static void putBackendKey(MemorySegment segment, long at, int set, int ordinal) {
    putInt(segment, at + BE_KEY_ID, set);
    putInt(segment, at + BE_KEY_ORDINAL, ordinal);
  }

  /** FE_KIND_*. */
  static int kind(FrontendKind kind) {
    return switch (kind) {
      case CLUSTER_IP -> 0;
      case EXTERNAL_IP -> 1;
      case LOAD_BALANCER -> 2;
      case NODE_PORT -> 3;
    };
  }
}
