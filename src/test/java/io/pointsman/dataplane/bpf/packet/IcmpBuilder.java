// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Builds ICMP errors that quote a packet. */
final class IcmpBuilder {
  private IcmpBuilder() {}

  /**
   * An error of the quoted packet's family.
   *
   * @param quoted a whole frame, of which {@code quote} bytes from its IP header on are quoted
   */
  static byte[] error(
      Endpoint from, Endpoint to, int type, int code, int rest, byte[] quoted, int quote) {
    byte[] inner = Arrays.copyOfRange(quoted, 14, Math.min(quoted.length, 14 + quote));
    ByteBuffer icmp = ByteBuffer.allocate(8 + inner.length);
    icmp.put((byte) type).put((byte) code).putShort((short) 0).putInt(rest).put(inner);
    byte[] pseudo =
        from.isV4()
            ? new byte[0]
            : Checksum.pseudoHeader(from.wire(), to.wire(), 58, icmp.capacity());
    icmp.putShort(2, (short) Checksum.of(pseudo, icmp.array()));
    byte[] ip = from.isV4() ? v4(from, to, icmp.array()) : v6(from, to, icmp.array());
    return PacketBuilder.ethernet(from.isV4(), new byte[6], new byte[] {2, 0, 0, 0, 0, 7}, ip);
  }

  private static byte[] v4(Endpoint from, Endpoint to, byte[] icmp) {
    ByteBuffer ip = ByteBuffer.allocate(20 + icmp.length);
    ip.put((byte) 0x45).put((byte) 0xc0).putShort((short) ip.capacity()).putInt(0x4000);
    ip.put((byte) 64).put((byte) 1).putShort((short) 0).put(from.wire()).put(to.wire());
    ip.putShort(10, (short) Checksum.of(Arrays.copyOf(ip.array(), 20)));
    return ip.put(icmp).array();
  }

  private static byte[] v6(Endpoint from, Endpoint to, byte[] icmp) {
    return ByteBuffer.allocate(40 + icmp.length)
        .putInt(0x60000000)
        .putShort((short) icmp.length)
        .put((byte) 58)
        .put((byte) 64)
        .put(from.wire())
        .put(to.wire())
        .put(icmp)
        .array();
  }
}
