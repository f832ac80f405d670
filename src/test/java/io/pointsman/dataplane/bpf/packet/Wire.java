// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * A frame as a careful host reads it, checksums and all. Knows nothing of the programs.
 *
 * @param l4 offset of the TCP, UDP or ICMP header
 * @param fragment whether the datagram is in pieces, of which this is one
 * @param first whether the L4 header is in this piece
 */
record Wire(
    byte[] frame,
    boolean v4,
    Address source,
    Address destination,
    int protocol,
    int l4,
    boolean fragment,
    boolean first) {
  private static final Set<Integer> EXTENSIONS = Set.of(0, 43, 60);
  private static final int FRAGMENT = 44;

  /** Reads a frame; empty when no host would take it for a whole IP packet. */
  static Optional<Wire> read(byte[] frame) {
    if (frame.length < 34) {
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(frame);
    return switch (in.getShort(12) & 0xffff) {
      case 0x0800 -> readV4(frame, in);
      case 0x86dd -> readV6(frame, in);
      default -> Optional.empty();
    };
  }

  /** Reads a frame that must be well-formed with right checksums. */
  static Wire sound(byte[] frame) {
    Wire wire =
        read(frame).orElseThrow(() -> new AssertionError("malformed: " + Arrays.toString(frame)));
    if (!wire.isSound()) {
      throw new AssertionError("wrong checksum: " + wire);
    }
    return wire;
  }

  private static Optional<Wire> readV4(byte[] frame, ByteBuffer in) {
    int header = (frame[14] & 0xf) * 4;
    int length = in.getShort(16) & 0xffff;
    if ((frame[14] & 0xf0) != 0x40
        || header < 20
        || length < header
        || 14 + length > frame.length
        || Checksum.sum(Arrays.copyOfRange(frame, 14, 14 + header)) != 0xffff) {
      return Optional.empty();
    }
    int offset = in.getShort(20) & 0x3fff;
    return Optional.of(
        new Wire(
            Arrays.copyOf(frame, 14 + length),
            true,
            Address.ofV4(in.getInt(26)),
            Address.ofV4(in.getInt(30)),
            frame[23] & 0xff,
            14 + header,
            offset != 0,
            (offset & 0x1fff) == 0));
  }

  private static Optional<Wire> readV6(byte[] frame, ByteBuffer in) {
    int end = 54 + (in.getShort(18) & 0xffff);
    if (frame.length < 54 || (frame[14] & 0xf0) != 0x60 || end > frame.length) {
      return Optional.empty();
    }
    int next = frame[20] & 0xff;
    int at = 54;
    boolean fragment = false;
    boolean first = true;
    while (first && (EXTENSIONS.contains(next) || next == FRAGMENT)) {
      if (at + 8 > end) {
        return Optional.empty();
      }
      int offset = next == FRAGMENT ? in.getShort(at + 2) & 0xfff9 : 0;
      int length = next == FRAGMENT ? 8 : ((frame[at + 1] & 0xff) + 1) * 8;
      fragment |= offset != 0;
      first = (offset & 0xfff8) == 0;
      next = frame[at] & 0xff;
      at += length;
    }
    return Optional.of(
        new Wire(
            Arrays.copyOf(frame, end),
            false,
            address(in, 22),
            address(in, 38),
            next,
            at,
            fragment,
            first));
  }

  private static Address address(ByteBuffer in, int at) {
    return new Address(in.getLong(at), in.getLong(at + 8));
  }

  int sourcePort() {
    return ByteBuffer.wrap(frame).getShort(l4) & 0xffff;
  }

  int destinationPort() {
    return ByteBuffer.wrap(frame).getShort(l4 + 2) & 0xffff;
  }

  Endpoint from() {
    return new Endpoint(source, sourcePort());
  }

  Endpoint to() {
    return new Endpoint(destination, destinationPort());
  }

  boolean isFlow() {
    return protocol == PacketBuilder.TCP || protocol == PacketBuilder.UDP;
  }

  boolean isIcmp() {
    return protocol == (v4 ? 1 : 58);
  }

  int icmpType() {
    return frame[l4] & 0xff;
  }

  int icmpCode() {
    return frame[l4 + 1] & 0xff;
  }

  /** The packet that an ICMP error quotes, as a frame of its own. */
  byte[] quoted() {
    byte[] inner = Arrays.copyOfRange(frame, l4 + 8, frame.length);
    return PacketBuilder.ethernet(v4, new byte[6], new byte[6], inner);
  }

  /** What follows the L4 header. */
  byte[] payload() {
    return Arrays.copyOfRange(frame, l4 + (protocol == PacketBuilder.TCP ? 20 : 8), frame.length);
  }

  /** The L4 checksum as it stands. */
  int checksum() {
    int at = isIcmp() ? 2 : protocol == PacketBuilder.TCP ? 16 : 6;
    return ByteBuffer.wrap(frame).getShort(l4 + at) & 0xffff;
  }

  /** Whether every checksum that this piece alone can be judged by is right. */
  boolean isSound() {
    if (fragment || !(isFlow() || isIcmp())) {
      return true;
    }
    if (l4 + (protocol == PacketBuilder.TCP ? 20 : 8) > frame.length) {
      return false;
    }
    if (protocol == PacketBuilder.UDP && checksum() == 0) {
      return true;
    }
    byte[] data = Arrays.copyOfRange(frame, l4, frame.length);
    byte[] pseudo =
        v4 && isIcmp()
            ? new byte[0]
            : Checksum.pseudoHeader(
                new Endpoint(source, 0).wire(),
                new Endpoint(destination, 0).wire(),
                protocol,
                data.length);
    return Checksum.sum(pseudo, data) == 0xffff;
  }

  @Override
  public String toString() {
    return "%s -> %s protocol %d, %d bytes".formatted(source, destination, protocol, frame.length);
  }
}
