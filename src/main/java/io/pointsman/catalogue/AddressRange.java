// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;

/**
 * The addresses that share their first bits with one.
 *
 * @param bits how many, of the 128 that an {@link Address} has
 */
public record AddressRange(Address base, int bits) {
  private static final int WIDTH = 128;
  private static final int V4_WIDTH = 32;

  /**
   * Reads {@code address/bits}, or an address alone.
   *
   * @throws IllegalArgumentException when it is no range; the message names it
   */
  public static AddressRange parse(String text) {
    try {
      int slash = text.indexOf('/');
      Address base = Address.parse(slash < 0 ? text : text.substring(0, slash));
      int width = base.isV4() ? V4_WIDTH : WIDTH;
      int bits = slash < 0 ? width : Integer.parseInt(text.substring(slash + 1));
      if (bits >= 0 && bits <= width) {
        return new AddressRange(base, bits + WIDTH - width);
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a range of addresses: " + text, e);
    }
    throw new IllegalArgumentException("not a range of addresses: " + text);
  }

  /** Whether an address of the same family is among them. */
  public boolean contains(Address address) {
    long high = mask(bits);
    long low = mask(bits - Long.SIZE);
    return address.isV4() == base.isV4()
        && (address.high() & high) == (base.high() & high)
        && (address.low() & low) == (base.low() & low);
  }

  /** The range itself, or the two halves of one that holds a whole family. */
  public List<AddressRange> parts() {
    int whole = base.isV4() ? WIDTH - V4_WIDTH : 0;
    if (bits > whole) {
      return List.of(this);
    }
    Address upper = Address.parse(base.isV4() ? "128.0.0.0" : "8000::");
    return List.of(new AddressRange(base, whole + 1), new AddressRange(upper, whole + 1));
  }

  /** As iptables-save writes it, with nothing behind the first bits. */
  @Override
  public String toString() {
    Address first = new Address(base.high() & mask(bits), base.low() & mask(bits - Long.SIZE));
    return first + "/" + (base.isV4() ? bits - WIDTH + V4_WIDTH : bits);
  }

  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= Long.SIZE ? -1 : -1L << Long.SIZE - bits;
  }
}
