// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import java.util.Map;

/**
 * How many entries the maps hold. A map that is already pinned keeps the size it was made with,
 * until the dataplane is removed.
 *
 * @param frontends an address, port and protocol each; costs memory only when used
 * @param backends an endpoint of a Service port each, and room for the largest change at once;
 *     costs memory only when used
 * @param flows directions of flows that pass through the node; allocated at once, the least
 *     recently used entry gives way
 * @param sockets peers of sockets of this node, as {@code flows}
 */
public record MapSizes(int frontends, int backends, int flows, int sockets) {
  /** Enough for the largest clusters that Kubernetes supports; about 115 MiB for the node. */
  public static final MapSizes DEFAULTS = new MapSizes(262_144, 1_048_576, 524_288, 262_144);

  /**
   * Checks that nothing is zero.
   *
   * @throws IllegalArgumentException when a size is not positive
   */
  public MapSizes {
    if (frontends < 1 || backends < 1 || flows < 1 || sockets < 1) {
      throw new IllegalArgumentException("Every map needs room for at least one entry.");
    }
  }

  Map<String, Integer> byName() {
    return Map.of(
        Layout.NAT_FE, frontends,
        Layout.NAT_BE, backends,
        Layout.CT, flows,
        Layout.SOCK_NAT, sockets);
  }
}
