// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import java.nio.ByteBuffer;

/** The Internet checksum (RFC 1071), computed plainly. */
final class Checksum {
  private Checksum() {}

  /** The folded sum of all bytes, which is 0xffff where a right checksum is among them. */
  static int sum(byte[]... parts) {
    long sum = 0;
    for (byte[] part : parts) {
      for (int i = 0; i < part.length; i++) {
        sum += (part[i] & 0xffL) << (i % 2 == 0 ? 8 : 0);
      }
    }
    while (sum >> 16 != 0) {
      sum = (sum & 0xffff) + (sum >> 16);
    }
    return (int) sum;
  }

  /** The checksum of bytes whose checksum field is zero. */
  static int of(byte[]... parts) {
    return ~sum(parts) & 0xffff;
  }

  /** The pseudo header of RFC 793 or RFC 8200; `from` and `to` are 4 or 16 bytes. */
  static byte[] pseudoHeader(byte[] from, byte[] to, int protocol, int length) {
    return ByteBuffer.allocate(2 * from.length + 8)
        .put(from)
        .put(to)
        .putInt(length)
        .putInt(protocol)
        .array();
  }
}
