// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.DeviceAddress;
import io.pointsman.kernel.RtNetlink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which of the node's addresses answer on node ports. */
final class NodeAddresses {
  private NodeAddresses() {}

  /** A range of addresses: those that share the first bits of one. */
  record Range(Address base, int bits) {
    /**
     * Reads {@code address/bits}.
     *
     * @throws IllegalArgumentException when it is none
     */
    static Range parse(String text) {
      int slash = text.indexOf('/');
      Address base = Address.parse(slash < 0 ? text : text.substring(0, slash));
      int width = base.isV4() ? 32 : 128;
      int bits = slash < 0 ? width : Integer.parseInt(text.substring(slash + 1));
      if (bits < 0 || bits > width) {
        throw new IllegalArgumentException("not a range of addresses: " + text);
      }
      // IPv4 stands in the last 32 of 128 bits.
      return new Range(base, bits + 128 - width);
    }

    boolean contains(Address address) {
      if (address.isV4() != base.isV4()) {
        return false;
      }
      long high = mask(bits);
      long low = mask(bits - 64);
      return (address.high() & high) == (base.high() & high)
          && (address.low() & low) == (base.low() & low);
    }

    private static long mask(int bits) {
      return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << (64 - bits);
    }
  }

  /**
   * All addresses of the node in one of the ranges; without ranges, all. Loopback and link-local
   * ones never are: the first is served anyway, the second means another node on every link.
   */
  static Set<Address> ofNode(List<String> ranges) {
    List<Range> allowed = new ArrayList<>();
    for (String range : ranges) {
      allowed.add(Range.parse(range));
    }
    Set<Address> addresses = new HashSet<>();
    try (RtNetlink netlink = new RtNetlink()) {
      for (DeviceAddress device : netlink.addresses()) {
        InetAddress inet = device.address();
        if (!inet.isLoopbackAddress() && !inet.isLinkLocalAddress()) {
          Address address = Address.parse(inet.getHostAddress());
          if (allowed.isEmpty() || allowed.stream().anyMatch(r -> r.contains(address))) {
            addresses.add(address);
          }
        }
      }
    }
    return addresses;
  }
}
