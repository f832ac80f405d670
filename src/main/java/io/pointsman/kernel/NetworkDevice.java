// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A network device as rtnetlink tells of it.
 *
 * @param flags IFF_* of linux/if.h
 * @param masterIndex the bridge or bond that the device is a port of, 0 for none
 * @param kind such as "veth", "bridge", "vxlan"; empty for hardware
 * @param slaveKind the kind of the device that it is a port of, such as "bridge"; empty for none
 */
public record NetworkDevice(
    int index, String name, int flags, int masterIndex, String kind, String slaveKind) {
  private static final int IFF_UP = 1;
  private static final int IFF_LOOPBACK = 8;

  /** Whether it is lo. */
  public boolean loopback() {
    return (flags & IFF_LOOPBACK) != 0;
  }

  /** Whether an administrator set it up. */
  public boolean up() {
    return (flags & IFF_UP) != 0;
  }

  /** Whether packets that it receives belong to a bridge, not to this node's routing. */
  public boolean bridgePort() {
    return slaveKind.equals("bridge");
  }
}
