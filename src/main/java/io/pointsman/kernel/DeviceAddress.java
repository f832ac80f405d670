// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.net.InetAddress;

/**
 * An address of a network device.
 *
 * @param scope 0 global, 253 link, 254 host (linux/rtnetlink.h)
 * @param flags IFA_F_* of linux/if_addr.h
 */
public record DeviceAddress(int index, InetAddress address, int scope, int flags) {
  private static final int SECONDARY = 0x01;
  private static final int DAD_FAILED = 0x08;
  private static final int DEPRECATED = 0x20;
  private static final int TENTATIVE = 0x40;
  private static final int SCOPE_UNIVERSE = 0;

  /** Whether it is usable as a source towards anywhere, and not second to another. */
  public boolean primary() {
    return scope == SCOPE_UNIVERSE
        && (flags & (SECONDARY | DAD_FAILED | DEPRECATED | TENTATIVE)) == 0;
  }
}
