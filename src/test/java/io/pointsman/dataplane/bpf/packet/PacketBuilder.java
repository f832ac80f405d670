// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds an Ethernet frame with right lengths and checksums, and with what tests want in it. */
final class PacketBuilder {
  static final int TCP = 6;
  static final int UDP = 17;
  static final int FIN = 0x01;
  static final int SYN = 0x02;
  static final int RST = 0x04;
  static final int ACK = 0x10;

  private final int protocol;
  private final Endpoint from;
  private final Endpoint to;
  private int flags = SYN;
  private byte[] payload = new byte[0];
  private byte[] options = new byte[0];
  private final List<byte[]> headers = new ArrayList<>(); // first byte: the header's own number
  private boolean zeroChecksum;
  private byte[] destinationMac = new byte[6];
  private byte[] sourceMac = {2, 0, 0, 0, 0, 9};

  private PacketBuilder(int protocol, Endpoint from, Endpoint to) {
    this.protocol = protocol;
    this.from = from;
    this.to = to;
  }

  static PacketBuilder of(int protocol, Endpoint from, Endpoint to) {
    return new PacketBuilder(protocol, from, to);
  }

  static PacketBuilder tcp(Endpoint from, Endpoint to, int flags) {
    return of(TCP, from, to).flags(flags);
  }

  static PacketBuilder udp(Endpoint from, Endpoint to) {
    return of(UDP, from, to);
  }

  PacketBuilder flags(int value) {
    flags = value;
    return this;
  }

  PacketBuilder payload(byte[] bytes) {
    payload = bytes.clone();
    return this;
  }

  PacketBuilder payload(int length) {
    payload = new byte[length];
    for (int i = 0; i < length; i++) {
      payload[i] = (byte) (i * 31 + 7);
    }
    return this;
  }

  /** IPv4 options; a multiple of 4 bytes. */
  PacketBuilder options(byte[] bytes) {
    options = bytes.clone();
    return this;
  }

  /** An IPv6 extension header: its number, and its bytes from the length on (next is filled in). */
  PacketBuilder header(int number, byte[] rest) {
    byte[] header = new byte[rest.length + 1];
    header[0] = (byte) number;
    System.arraycopy(rest, 0, header, 1, rest.length);
    headers.add(header);
    return this;
  }

  PacketBuilder zeroChecksum() {
    zeroChecksum = true;
    return this;
  }

  PacketBuilder macs(byte[] source, byte[] destination) {
    sourceMac = source.clone();
    destinationMac = destination.clone();
    return this;
  }

  byte[] build() {
    return frame(ip(l4(), 0, false, 0));
  }

  /** The datagram in fragments with at most {@code size} bytes each (a multiple of 8). */
  List<byte[]> fragments(int size, int id) {
    byte[] whole = l4();
    List<byte[]> all = new ArrayList<>();
    for (int at = 0; at < whole.length; at += size) {
      int end = Math.min(whole.length, at + size);
      all.add(frame(ip(Arrays.copyOfRange(whole, at, end), at, end < whole.length, id)));
    }
    return all;
  }

  private byte[] l4() {
    ByteBuffer l4 = ByteBuffer.allocate((protocol == TCP ? 20 : 8) + payload.length);
    l4.putShort((short) from.port()).putShort((short) to.port());
    if (protocol == TCP) {
      l4.putInt(0x01020304).putInt(0x05060708).put((byte) 0x50).put((byte) flags);
      l4.putShort((short) 0x2000).putInt(0);
    } else {
      l4.putShort((short) l4.capacity()).putShort((short) 0);
    }
    l4.put(payload);
    byte[] bytes = l4.array();
    if (!zeroChecksum) {
      byte[] pseudo = Checksum.pseudoHeader(from.wire(), to.wire(), protocol, bytes.length);
      int checksum = Checksum.of(pseudo, bytes);
      l4.putShort(
          protocol == TCP ? 16 : 6, (short) (protocol == UDP && checksum == 0 ? -1 : checksum));
    }
    return bytes;
  }

  private byte[] ip(byte[] data, int offset, boolean more, int id) {
    boolean fragment = offset > 0 || more;
    return from.isV4() ? v4(data, offset, more, id) : v6(data, offset, more, id, fragment);
  }

  private byte[] v4(byte[] data, int offset, boolean more, int id) {
    int header = 20 + options.length;
    ByteBuffer ip = ByteBuffer.allocate(header + data.length);
    ip.put((byte) (0x40 | header / 4)).put((byte) 0).putShort((short) ip.capacity());
    ip.putShort((short) id).putShort((short) (offset / 8 | (more ? 0x2000 : 0)));
    ip.put((byte) 64).put((byte) protocol).putShort((short) 0);
    ip.put(from.wire()).put(to.wire()).put(options);
    ip.putShort(10, (short) Checksum.of(Arrays.copyOf(ip.array(), header)));
    return ip.put(data).array();
  }

  private byte[] v6(byte[] data, int offset, boolean more, int id, boolean fragment) {
    List<byte[]> chain = new ArrayList<>(headers);
    if (fragment) {
      ByteBuffer header = ByteBuffer.allocate(8).put((byte) 44).put((byte) 0);
      chain.add(header.putShort((short) (offset | (more ? 1 : 0))).putInt(id).array());
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int i = 0; i < chain.size(); i++) {
      body.write(i + 1 < chain.size() ? chain.get(i + 1)[0] : protocol);
      body.write(chain.get(i), 1, chain.get(i).length - 1);
    }
    body.writeBytes(data);
    return ByteBuffer.allocate(40 + body.size())
        .putInt(0x60000000)
        .putShort((short) body.size())
        .put(chain.isEmpty() ? (byte) protocol : chain.getFirst()[0])
        .put((byte) 64)
        .put(from.wire())
        .put(to.wire())
        .put(body.toByteArray())
        .array();
  }

  private byte[] frame(byte[] ip) {
    return ethernet(from.isV4(), destinationMac, sourceMac, ip);
  }

  static byte[] ethernet(boolean v4, byte[] to, byte[] from, byte[] ip) {
    return ByteBuffer.allocate(14 + ip.length)
        .put(to)
        .put(from)
        .putShort((short) (v4 ? 0x0800 : 0x86dd))
        .put(ip)
        .array();
  }
}
