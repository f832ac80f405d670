// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * An address of a network device.
 *
 * @param prefix how many bits of it are the network's
 * @param scope 0 global, 253 link, 254 host (linux/rtnetlink.h)
 * @param flags IFA_F_* of linux/if_addr.h
 */
public record DeviceAddress(int index, InetAddress address, int prefix, int scope, int flags) {
  private static final int LONGEST_WITH_BROADCAST = 30;
  private static final int SECONDARY = 0x01;
  private static final int DAD_FAILED = 0x08;
  private static final int DEPRECATED = 0x20;
  private static final int TENTATIVE = 0x40;
  private static final int SCOPE_UNIVERSE = 0;

  /** The network's broadcast address; empty where it has none, as with IPv6. */
  public Optional<InetAddress> broadcast() {
    byte[] bytes = address.getAddress();
    if (!(address instanceof Inet4Address) || prefix > LONGEST_WITH_BROADCAST) {
      return Optional.empty();
    }
    for (int bit = prefix; bit < Integer.SIZE; bit++) {
      bytes[bit / Byte.SIZE] |= (byte) (0x80 >>> bit % Byte.SIZE);
    }
    try {
      return Optional.of(InetAddress.getByAddress(bytes));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an IPv4 address has four bytes", e);
    }
  }

  /** Whether it is usable as a source towards anywhere, and not second to another. */
  public boolean primary() {
    return scope == SCOPE_UNIVERSE
        && (flags & (SECONDARY | DAD_FAILED | DEPRECATED | TENTATIVE)) == 0;
  }
}
