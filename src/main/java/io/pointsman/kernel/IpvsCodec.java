// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The attributes of ip_vs in generic netlink messages (linux/ip_vs.h). */
final class IpvsCodec {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int V4_SIZE = 4;
  private static final int ADDRESS_SIZE = 16;

  private static final int CMD_ATTR_SERVICE = 1;
  private static final int CMD_ATTR_DEST = 2;
  private static final int CMD_ATTR_TIMEOUT_TCP = 4;
  private static final int CMD_ATTR_TIMEOUT_TCP_FIN = 5;
  private static final int CMD_ATTR_TIMEOUT_UDP = 6;

  private static final int SVC_ATTR_AF = 1;
  private static final int SVC_ATTR_PROTOCOL = 2;
  private static final int SVC_ATTR_ADDR = 3;
  private static final int SVC_ATTR_PORT = 4;
  private static final int SVC_ATTR_SCHED_NAME = 6;
  private static final int SVC_ATTR_FLAGS = 7;
  private static final int SVC_ATTR_TIMEOUT = 8;
  private static final int SVC_ATTR_NETMASK = 9;

  private static final int DEST_ATTR_ADDR = 1;
  private static final int DEST_ATTR_PORT = 2;
  private static final int DEST_ATTR_FWD_METHOD = 3;
  private static final int DEST_ATTR_WEIGHT = 4;
  private static final int DEST_ATTR_U_THRESH = 5;
  private static final int DEST_ATTR_L_THRESH = 6;
  private static final int DEST_ATTR_ACTIVE_CONNS = 7;
  private static final int DEST_ATTR_INACT_CONNS = 8;
  private static final int DEST_ATTR_PERSIST_CONNS = 9;
  private static final int DEST_ATTR_ADDR_FAMILY = 11;

  private static final int FORWARDING_MASK = 7;
  private static final int WHOLE_V4 = -1;
  private static final int WHOLE_V6 = 128;
  private static final ValueLayout.OfShort NETWORK_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private IpvsCodec() {}

  /** The attribute that names a virtual server. */
  static void writeName(NetlinkWriter writer, VirtualServer server) {
    long at = writer.beginNested(CMD_ATTR_SERVICE);
    name(writer, server);
    writer.endNested(at);
  }

  /** A virtual server with all that is set of it. */
  static void writeVirtualServer(NetlinkWriter writer, VirtualServerInfo info) {
    long at = writer.beginNested(CMD_ATTR_SERVICE);
    name(writer, info.server());
    writer.attribute(SVC_ATTR_SCHED_NAME, info.scheduler());
    writer.attribute(SVC_ATTR_FLAGS, flags(info.flags()));
    writer.attributeInt(SVC_ATTR_TIMEOUT, info.timeoutSeconds());
    writer.attributeInt(SVC_ATTR_NETMASK, info.server().isV6() ? WHOLE_V6 : WHOLE_V4);
    writer.endNested(at);
  }

  /** The attributes that name a real server. */
  static void writeNames(NetlinkWriter writer, VirtualServer server, RealServer real) {
    writeName(writer, server);
    long at = writer.beginNested(CMD_ATTR_DEST);
    name(writer, real);
    writer.endNested(at);
  }

  /** A real server with all that is set of it. */
  static void writeRealServer(
      NetlinkWriter writer, VirtualServer server, RealServer real, int weight) {
    writeName(writer, server);
    long at = writer.beginNested(CMD_ATTR_DEST);
    name(writer, real);
    writer.attributeInt(DEST_ATTR_FWD_METHOD, RealServerInfo.MASQUERADE);
    writer.attributeInt(DEST_ATTR_WEIGHT, weight);
    writer.attributeInt(DEST_ATTR_U_THRESH, 0);
    writer.attributeInt(DEST_ATTR_L_THRESH, 0);
    writer.endNested(at);
  }

  static void writeTimeouts(NetlinkWriter writer, IpvsTimeouts timeouts) {
    writer.attributeInt(CMD_ATTR_TIMEOUT_TCP, timeouts.tcp());
    writer.attributeInt(CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcpFin());
    writer.attributeInt(CMD_ATTR_TIMEOUT_UDP, timeouts.udp());
  }

  /** Reads a virtual server; null for one that balances packets by their mark. */
  static @Nullable VirtualServerInfo readVirtualServer(MemorySegment body, long from) {
    MemorySegment service = NetlinkSocket.attribute(body, from, CMD_ATTR_SERVICE);
    MemorySegment port =
        service == null ? null : NetlinkSocket.attribute(service, 0, SVC_ATTR_PORT);
    MemorySegment address =
        service == null ? null : NetlinkSocket.attribute(service, 0, SVC_ATTR_ADDR);
    if (service == null || port == null || address == null) {
      return null;
    }
    boolean v6 = number(service, SVC_ATTR_AF) == AF_INET6;
    return new VirtualServerInfo(
        new VirtualServer(address(address, v6), port(port), number(service, SVC_ATTR_PROTOCOL)),
        NetlinkSocket.text(service, 0, SVC_ATTR_SCHED_NAME),
        NetlinkSocket.number(service, 0, SVC_ATTR_FLAGS),
        NetlinkSocket.number(service, 0, SVC_ATTR_TIMEOUT));
  }

  /**
   * Reads a real server.
   *
   * @param v6 the family of the virtual server, for kernels that do not tell the real one's
   */
  static @Nullable RealServerInfo readRealServer(MemorySegment body, long from, boolean v6) {
    MemorySegment real = NetlinkSocket.attribute(body, from, CMD_ATTR_DEST);
    MemorySegment port = real == null ? null : NetlinkSocket.attribute(real, 0, DEST_ATTR_PORT);
    MemorySegment address = real == null ? null : NetlinkSocket.attribute(real, 0, DEST_ATTR_ADDR);
    if (real == null || port == null || address == null) {
      return null;
    }
    int family = number(real, DEST_ATTR_ADDR_FAMILY);
    boolean realV6 = family == 0 ? v6 : family == AF_INET6;
    return new RealServerInfo(
        new RealServer(address(address, realV6), port(port)),
        NetlinkSocket.number(real, 0, DEST_ATTR_WEIGHT),
        NetlinkSocket.number(real, 0, DEST_ATTR_FWD_METHOD) & FORWARDING_MASK,
        unsigned(real, DEST_ATTR_ACTIVE_CONNS),
        unsigned(real, DEST_ATTR_INACT_CONNS),
        unsigned(real, DEST_ATTR_PERSIST_CONNS));
  }

  static IpvsTimeouts readTimeouts(MemorySegment body, long from) {
    return new IpvsTimeouts(
        NetlinkSocket.number(body, from, CMD_ATTR_TIMEOUT_TCP),
        NetlinkSocket.number(body, from, CMD_ATTR_TIMEOUT_TCP_FIN),
        NetlinkSocket.number(body, from, CMD_ATTR_TIMEOUT_UDP));
  }

  private static void name(NetlinkWriter writer, VirtualServer server) {
    writer.attributeShort(SVC_ATTR_AF, server.isV6() ? AF_INET6 : AF_INET);
    writer.attributeShort(SVC_ATTR_PROTOCOL, server.protocol());
    writer.attribute(SVC_ATTR_ADDR, padded(server.address()));
    writer.attributePort(SVC_ATTR_PORT, server.port());
  }

  private static void name(NetlinkWriter writer, RealServer real) {
    writer.attribute(DEST_ATTR_ADDR, padded(real.address()));
    writer.attributePort(DEST_ATTR_PORT, real.port());
  }

  /** struct ip_vs_flags: the flags, then which of them are meant. */
  private static byte[] flags(int flags) {
    return ByteBuffer.allocate(2 * Integer.BYTES)
        .order(ByteOrder.nativeOrder())
        .putInt(flags)
        .putInt(-1)
        .array();
  }

  /** union nf_inet_addr: always 16 bytes. */
  private static byte[] padded(InetAddress address) {
    return Arrays.copyOf(address.getAddress(), ADDRESS_SIZE);
  }

  private static InetAddress address(MemorySegment value, boolean v6) {
    byte[] bytes = value.toArray(ValueLayout.JAVA_BYTE);
    try {
      return InetAddress.getByAddress(Arrays.copyOf(bytes, v6 ? ADDRESS_SIZE : V4_SIZE));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }

  private static int port(MemorySegment value) {
    return Short.toUnsignedInt(value.get(NETWORK_SHORT, 0));
  }

  /** A 16 bit attribute, 0 when it is not there. */
  private static int number(MemorySegment attributes, int wanted) {
    MemorySegment value = NetlinkSocket.attribute(attributes, 0, wanted);
    return value == null ? 0 : Short.toUnsignedInt(value.get(ValueLayout.JAVA_SHORT, 0));
  }

  private static long unsigned(MemorySegment attributes, int wanted) {
    return Integer.toUnsignedLong(NetlinkSocket.number(attributes, 0, wanted));
  }
}
