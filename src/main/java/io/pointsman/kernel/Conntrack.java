// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the flows that the kernel tracks (linux/netfilter/nfnetlink_conntrack.h) in the network
 * namespace of the calling thread. Needs CAP_NET_ADMIN. Failures are {@link KernelException}.
 */
public final class Conntrack {
  private static final int NETLINK_NETFILTER = 12;
  private static final int CTNETLINK_GET = 1 << 8 | 1;
  private static final int CTNETLINK_NEW = 1 << 8;
  private static final byte AF_INET = 2;
  private static final byte AF_INET6 = 10;

  // struct nfgenmsg, then attributes
  private static final int NFGEN_SIZE = 4;
  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_STATUS = 3;
  private static final int CTA_PROTOINFO = 4;
  private static final int CTA_ID = 12;
  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int CTA_IP_V4_DST = 2;
  private static final int CTA_IP_V6_DST = 4;
  private static final int CTA_PROTO_NUM = 1;
  private static final int CTA_PROTO_DST_PORT = 3;
  private static final int CTA_PROTOINFO_TCP = 1;
  private static final int CTA_PROTOINFO_TCP_STATE = 1;

  /** IPS_DST_NAT: the destination was rewritten. */
  private static final int TRANSLATED = 1 << 5;

  /** TCP_CONNTRACK_TIME_WAIT; CLOSE comes behind it. */
  private static final int TIME_WAIT = 7;

  private static final ValueLayout.OfInt BIG_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfShort BIG_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private Conntrack() {}

  /**
   * One flow.
   *
   * @param id the kernel's own, the same as long as the flow is there
   * @param destination 4 or 16 bytes: where the client sent its first packet
   * @param port where the client sent its first packet
   * @param protocol the IANA number
   * @param translated whether the destination was rewritten
   * @param closing whether a TCP connection has ended
   */
  public record Flow(
      int id,
      @SuppressWarnings("ArrayRecordComponent") byte[] destination,
      int port,
      int protocol,
      boolean translated,
      boolean closing) {}

  /** Hands over all flows of one family. */
  public static void forEach(boolean v6, Consumer<Flow> consumer) {
    List<Flow> flows = new ArrayList<>();
    try (NetlinkSocket socket = new NetlinkSocket(NETLINK_NETFILTER, 0);
        Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(NFGEN_SIZE, Integer.BYTES);
      body.set(ValueLayout.JAVA_BYTE, 0, v6 ? AF_INET6 : AF_INET);
      socket.dump(
          CTNETLINK_GET,
          body,
          "conntrack",
          flows::clear,
          (type, message) -> {
            Flow flow = type == CTNETLINK_NEW ? flow(message) : null;
            if (flow != null) {
              flows.add(flow);
            }
          });
    }
    flows.forEach(consumer);
  }

  private static @Nullable Flow flow(MemorySegment message) {
    MemorySegment tuple = NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_TUPLE_ORIG);
    MemorySegment addresses = inside(tuple, CTA_TUPLE_IP);
    MemorySegment ports = inside(tuple, CTA_TUPLE_PROTO);
    MemorySegment v4 = inside(addresses, CTA_IP_V4_DST);
    MemorySegment destination = v4 == null ? inside(addresses, CTA_IP_V6_DST) : v4;
    MemorySegment port = inside(ports, CTA_PROTO_DST_PORT);
    MemorySegment protocol = inside(ports, CTA_PROTO_NUM);
    if (destination == null || port == null || protocol == null) {
      return null; // a protocol without ports
    }
    MemorySegment tcp =
        inside(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_PROTOINFO), CTA_PROTOINFO_TCP);
    MemorySegment state = inside(tcp, CTA_PROTOINFO_TCP_STATE);
    return new Flow(
        big(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_ID)),
        destination.toArray(ValueLayout.JAVA_BYTE),
        Short.toUnsignedInt(port.get(BIG_SHORT, 0)),
        Byte.toUnsignedInt(protocol.get(ValueLayout.JAVA_BYTE, 0)),
        (big(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_STATUS)) & TRANSLATED) != 0,
        state != null && state.get(ValueLayout.JAVA_BYTE, 0) >= TIME_WAIT);
  }

  private static @Nullable MemorySegment inside(@Nullable MemorySegment nest, int attribute) {
    return nest == null ? null : NetlinkSocket.attribute(nest, 0, attribute);
  }

  private static int big(@Nullable MemorySegment value) {
    return value == null ? 0 : value.get(BIG_INT, 0);
  }
}
