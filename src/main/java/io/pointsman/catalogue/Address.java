// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An IP address as 128 bits in network order; IPv4 is kept v4-mapped (RFC 4291 2.5.5.2), so that
 * one map layout serves both families.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
public record Address(long high, long low) implements Comparable<Address> {
  private static final long MAPPED = 0xffff_0000_0000L;
  private static final int GROUPS = 8;
  private static final int V4_OFFSET = 12;

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
      return of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not an IP address: " + text, e);
    }
  }

  /** An IPv4 address from its 32 bits in network order. */
  public static Address ofV4(int bits) {
    return new Address(0, MAPPED | Integer.toUnsignedLong(bits));
  }

  /** The address that the JDK and the kernel package have it as. */
  public static Address of(InetAddress address) {
    return of(address.getAddress());
  }

  /** An address from its 4 or 16 bytes in network order. */
  public static Address of(byte[] bytes) {
    return bytes.length == 4 ? ofV4(ByteBuffer.wrap(bytes).getInt()) : ofBytes(bytes);
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

  /** As the JDK's sockets and the kernel package take it. */
  public InetAddress inet() {
    byte[] bytes = bytes();
    try {
      return InetAddress.getByAddress(
          isV4() ? Arrays.copyOfRange(bytes, V4_OFFSET, bytes.length) : bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }

  @Override
  public int compareTo(Address other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  /** As Kubernetes and the kernel's tools write it; IPv6 in the short form of RFC 5952. */
  @Override
  public String toString() {
    return isV4() ? v4() : v6();
  }

  private String v4() {
    int bits = (int) low;
    return (bits >>> 24)
        + "."
        + (bits >>> 16 & 255)
        + "."
        + (bits >>> 8 & 255)
        + "."
        + (bits & 255);
  }

  private String v6() {
    int skipFrom = -1;
    int skipped = 1; // a single zero is written
    for (int from = 0; from < GROUPS; from++) {
      int to = from;
      while (to < GROUPS && group(to) == 0) {
        to++;
      }
      if (to - from > skipped) {
        skipFrom = from;
        skipped = to - from;
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < GROUPS; i++) {
      if (i == skipFrom) {
        text.append("::");
        i += skipped - 1;
      } else {
        text.append(i == 0 || text.charAt(text.length() - 1) == ':' ? "" : ":");
        text.append(Integer.toHexString(group(i)));
      }
    }
    return text.toString();
  }

  private int group(int index) {
    long half = index < GROUPS / 2 ? high : low;
    return (int) (half >>> 48 - 16 * (index % (GROUPS / 2))) & 0xffff;
  }
}
