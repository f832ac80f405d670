// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import org.jspecify.annotations.Nullable;

/** Which addresses can stand for a Service or an endpoint at all. */
final class AddressRules {
  private AddressRules() {}

  /** Why the address cannot be served, or null when it can. */
  static @Nullable String objection(Address address) {
    return address.isV4() ? objectionToV4((int) address.low()) : objectionToV6(address);
  }

  private static @Nullable String objectionToV4(int bits) {
    if (bits == 0) {
      return "the unspecified address";
    }
    if (bits >>> 24 == 0) {
      return "an address of 0.0.0.0/8";
    }
    if (bits >>> 24 == 127) {
      return "a loopback address";
    }
    if (bits >>> 16 == 0xa9fe) {
      return "a link-local address";
    }
    if (bits >>> 28 == 0xe) {
      return "a multicast address";
    }
    return bits == -1 ? "the broadcast address" : null;
  }

  private static @Nullable String objectionToV6(Address address) {
    if (address.high() == 0 && address.low() == 0) {
      return "the unspecified address";
    }
    if (address.high() == 0 && address.low() == 1) {
      return "a loopback address";
    }
    if (address.high() >>> 54 == 0xfe80 >>> 6) {
      return "a link-local address";
    }
    return address.high() >>> 56 == 0xff ? "a multicast address" : null;
  }
}
