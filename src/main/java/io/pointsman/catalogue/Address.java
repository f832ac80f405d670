// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * An IP address as 128 bits in network order; IPv4 is kept v4-mapped (RFC 4291 2.5.5.2), so that
 * one map layout serves both families.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
public record Address(long high, long low) implements Comparable<Address> {
  private static final long MAPPED = 0xffff_0000_0000L;

  /** 0.0.0.0: any IPv4 address of the node, for node ports. */
  public static final Address ANY_V4 = new Address(0, MAPPED);

  /** ::, any IPv6 address of the node, for node ports. */
  public static final Address ANY_V6 = new Address(0, 0);

  /**
   * Reads a literal address; never resolves names.
   *
   * @throws IllegalArgumentException when the text is no IPv4 or IPv6 literal
   */
  public static Address parse(String text) {
    // Short forms as 10.1 and scopes as fe80::1%eth0 are literals to Java, but not to Kubernetes.
    boolean whole =
        text.indexOf(':') >= 0 || text.chars().filter(letter -> letter == '.').count() == 3;
    if (!whole || text.indexOf('%') >= 0) {
      throw new IllegalArgumentException("not an IP address: " + text);
    }
    try {
      InetAddress parsed = InetAddress.ofLiteral(text);
      byte[] bytes = parsed.getAddress();
      return bytes.length == 4 ? ofV4(ByteBuffer.wrap(bytes).getInt()) : ofBytes(bytes);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not an IP address: " + text, e);
    }
  }

  /** An IPv4 address from its 32 bits in network order. */
  public static Address ofV4(int bits) {
    return new Address(0, MAPPED | Integer.toUnsignedLong(bits));
  }

  private static Address ofBytes(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Address(buffer.getLong(), buffer.getLong());
  }

  /** Whether this is an IPv4 address. */
  public boolean isV4() {
    return high == 0 && (low >>> 32) == 0xffffL;
  }

  /** The family of this address. */
  public IpFamily family() {
    return isV4() ? IpFamily.IPV4 : IpFamily.IPV6;
  }

  /** Whether this is the wildcard of its family. */
  public boolean isAny() {
    return equals(ANY_V4) || equals(ANY_V6);
  }

  /** The 16 bytes in network order. */
  public byte[] bytes() {
    return ByteBuffer.allocate(16).putLong(high).putLong(low).array();
  }

  @Override
  public int compareTo(Address other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  @Override
  public String toString() {
    try {
      if (isV4()) {
        byte[] v4 = ByteBuffer.allocate(4).putInt((int) low).array();
        return InetAddress.getByAddress(v4).getHostAddress();
      }
      return InetAddress.getByAddress(bytes()).getHostAddress();
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }
}
