// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** The messages of ctnetlink (linux/netfilter/nfnetlink_conntrack.h); numbers in network order. */
final class ConntrackCodec {
  static final int GET = 1 << 8 | 1;
  static final int NEW = 1 << 8;
  static final int DELETE = 1 << 8 | 2;

  /** struct nfgenmsg, in front of the attributes. */
  static final int NFGEN_SIZE = 4;

  private static final int SEEN_REPLY = 1 << 1;
  private static final int ASSURED = 1 << 2;
  private static final int CONFIRMED = 1 << 3;

  /** What a flow has that went both ways. */
  private static final int WENT_BOTH_WAYS = SEEN_REPLY | ASSURED | CONFIRMED;

  private static final int DESTINATION_TRANSLATED = 1 << 5;

  private static final byte AF_INET = 2;
  private static final byte AF_INET6 = 10;
  private static final int TCP = 6;

  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_TUPLE_REPLY = 2;
  private static final int CTA_STATUS = 3;
  private static final int CTA_PROTOINFO = 4;
  private static final int CTA_NAT_SRC = 6;
  private static final int CTA_TIMEOUT = 7;
  private static final int CTA_ID = 12;
  private static final int CTA_NAT_DST = 13;
  private static final int CTA_ZONE = 18;
  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int CTA_IP_V4_SRC = 1;
  private static final int CTA_IP_V4_DST = 2;
  private static final int CTA_IP_V6_SRC = 3;
  private static final int CTA_IP_V6_DST = 4;
  private static final int CTA_PROTO_NUM = 1;
  private static final int CTA_PROTO_SRC_PORT = 2;
  private static final int CTA_PROTO_DST_PORT = 3;
  private static final int CTA_PROTOINFO_TCP = 1;
  private static final int CTA_PROTOINFO_TCP_STATE = 1;
  private static final int CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
  private static final int CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;
  private static final int CTA_NAT_V4_MINIP = 1;
  private static final int CTA_NAT_PROTO = 3;
  private static final int CTA_NAT_V6_MINIP = 4;
  private static final int CTA_PROTONAT_PORT_MIN = 1;

  private static final byte TCP_ESTABLISHED = 3;

  /** TCP_CONNTRACK_TIME_WAIT; CLOSE comes behind it. */
  private static final byte TIME_WAIT = 7;

  /** IP_CT_TCP_FLAG_BE_LIBERAL and its mask: the windows of before are not known. */
  private static final byte[] BE_LIBERAL = {8, 8};

  /** The same with IP_CT_TCP_FLAG_CLOSE_INIT: a SYN with the flow's ends begins another. */
  private static final byte[] CLOSING = {12, 12};

  private static final ValueLayout.OfInt BIG_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfShort BIG_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private ConntrackCodec() {}

  static byte family(boolean v6) {
    return v6 ? AF_INET6 : AF_INET;
  }

  /** A flow; null for a protocol without ports. */
  static Conntrack.@Nullable Flow flow(MemorySegment message) {
    FlowTuple original = tuple(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_TUPLE_ORIG));
    FlowTuple reply = tuple(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_TUPLE_REPLY));
    if (original == null || reply == null) {
      return null;
    }
    MemorySegment tcp =
        inside(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_PROTOINFO), CTA_PROTOINFO_TCP);
    MemorySegment state = inside(tcp, CTA_PROTOINFO_TCP_STATE);
    int status = big(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_STATUS));
    return new Conntrack.Flow(
        big(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_ID)),
        original,
        reply,
        (status & DESTINATION_TRANSLATED) != 0,
        (status & SEEN_REPLY) != 0,
        (status & ASSURED) != 0,
        state != null && state.get(ValueLayout.JAVA_BYTE, 0) >= TIME_WAIT,
        big(NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_TIMEOUT)),
        NetlinkSocket.attribute(message, NFGEN_SIZE, CTA_ZONE) != null);
  }

  private static @Nullable FlowTuple tuple(@Nullable MemorySegment nest) {
    MemorySegment addresses = inside(nest, CTA_TUPLE_IP);
    MemorySegment ports = inside(nest, CTA_TUPLE_PROTO);
    MemorySegment v4 = inside(addresses, CTA_IP_V4_SRC);
    MemorySegment source = v4 == null ? inside(addresses, CTA_IP_V6_SRC) : v4;
    MemorySegment destination =
        v4 == null ? inside(addresses, CTA_IP_V6_DST) : inside(addresses, CTA_IP_V4_DST);
    MemorySegment protocol = inside(ports, CTA_PROTO_NUM);
    MemorySegment sourcePort = inside(ports, CTA_PROTO_SRC_PORT);
    MemorySegment destinationPort = inside(ports, CTA_PROTO_DST_PORT);
    if (source == null
        || destination == null
        || protocol == null
        || sourcePort == null
        || destinationPort == null) {
      return null;
    }
    return new FlowTuple(
        address(source),
        Short.toUnsignedInt(sourcePort.get(BIG_SHORT, 0)),
        address(destination),
        Short.toUnsignedInt(destinationPort.get(BIG_SHORT, 0)),
        Byte.toUnsignedInt(protocol.get(ValueLayout.JAVA_BYTE, 0)));
  }

  /** The message that names a flow by the tuple of either of its directions. */
  static void writeName(NetlinkWriter writer, FlowTuple tuple) {
    writeHeader(writer, tuple);
    writeTuple(writer, CTA_TUPLE_ORIG, tuple);
  }

  /** The message that makes a flow of {@code original} and answers that come as {@code reply}. */
  static void writeTranslated(
      NetlinkWriter writer,
      FlowTuple original,
      FlowTuple reply,
      boolean closing,
      int timeoutSeconds) {
    writeHeader(writer, original);
    writeTuple(writer, CTA_TUPLE_ORIG, original);
    writeTuple(writer, CTA_TUPLE_REPLY, original.reversed());
    writeTranslation(writer, CTA_NAT_DST, reply.source(), reply.sourcePort());
    // Also where it stays as it is: the kernel would choose another port for one that is taken.
    writeTranslation(writer, CTA_NAT_SRC, reply.destination(), reply.destinationPort());
    writeNumber(writer, CTA_STATUS, WENT_BOTH_WAYS);
    writeNumber(writer, CTA_TIMEOUT, timeoutSeconds);
    if (original.protocol() == TCP) {
      long info = writer.beginNested(CTA_PROTOINFO);
      long tcp = writer.beginNested(CTA_PROTOINFO_TCP);
      writer.attribute(CTA_PROTOINFO_TCP_STATE, new byte[] {closing ? TIME_WAIT : TCP_ESTABLISHED});
      byte[] flags = closing ? CLOSING : BE_LIBERAL;
      writer.attribute(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, flags);
      writer.attribute(CTA_PROTOINFO_TCP_FLAGS_REPLY, flags);
      writer.endNested(tcp);
      writer.endNested(info);
    }
  }

  private static void writeHeader(NetlinkWriter writer, FlowTuple tuple) {
    writer.putByte(family(isV6(tuple.source())));
    writer.putByte(0);
    writer.putShort(0);
  }

  private static void writeTuple(NetlinkWriter writer, int attribute, FlowTuple tuple) {
    boolean v6 = isV6(tuple.source());
    long nest = writer.beginNested(attribute);
    long addresses = writer.beginNested(CTA_TUPLE_IP);
    writer.attribute(v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple.source().getAddress());
    writer.attribute(v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple.destination().getAddress());
    writer.endNested(addresses);
    long ports = writer.beginNested(CTA_TUPLE_PROTO);
    writer.attribute(CTA_PROTO_NUM, new byte[] {(byte) tuple.protocol()});
    writer.attributePort(CTA_PROTO_SRC_PORT, tuple.sourcePort());
    writer.attributePort(CTA_PROTO_DST_PORT, tuple.destinationPort());
    writer.endNested(ports);
    writer.endNested(nest);
  }

  private static void writeTranslation(
      NetlinkWriter writer, int attribute, InetAddress address, int port) {
    long nest = writer.beginNested(attribute);
    writer.attribute(isV6(address) ? CTA_NAT_V6_MINIP : CTA_NAT_V4_MINIP, address.getAddress());
    long ports = writer.beginNested(CTA_NAT_PROTO);
    writer.attributePort(CTA_PROTONAT_PORT_MIN, port);
    writer.endNested(ports);
    writer.endNested(nest);
  }

  private static void writeNumber(NetlinkWriter writer, int attribute, int value) {
    writer.attributeInt(attribute, Integer.reverseBytes(value));
  }

  private static boolean isV6(InetAddress address) {
    return address instanceof Inet6Address;
  }

  private static InetAddress address(MemorySegment bytes) {
    try {
      return InetAddress.getByAddress(bytes.toArray(ValueLayout.JAVA_BYTE));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }

  private static @Nullable MemorySegment inside(@Nullable MemorySegment nest, int attribute) {
    return nest == null ? null : NetlinkSocket.attribute(nest, 0, attribute);
  }

  private static int big(@Nullable MemorySegment value) {
    return value == null ? 0 : value.get(BIG_INT, 0);
  }
}
