// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.DeviceAddress;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The addresses of a node that could answer on node ports. */
public final class HostAddresses {
  /** The device on which an ipvs mode keeps the Services' addresses, which are none of the node. */
  public static final String SERVICE_DEVICE = "kube-ipvs0";

  private HostAddresses() {}

  /**
   * Reads them in the network namespace of the calling thread. Loopback and link-local ones never
   * are among them: the first is served anyway, the second means another node on every link.
   */
  public static Set<Address> read() {
    Set<Address> addresses = new HashSet<>();
    try (RtNetlink netlink = new RtNetlink()) {
      int services = indexOf(SERVICE_DEVICE, netlink.devices());
      for (DeviceAddress device : netlink.addresses()) {
        InetAddress inet = device.address();
        if (device.index() != services && !inet.isLoopbackAddress() && !inet.isLinkLocalAddress()) {
          addresses.add(Address.of(inet));
        }
      }
    }
    return addresses;
  }

  /** The IPv4 broadcast addresses of the node's networks, read the same way. */
  public static Set<Address> broadcasts() {
    try (RtNetlink netlink = new RtNetlink()) {
      return netlink.broadcasts().stream().map(Address::of).collect(Collectors.toSet());
    }
  }

  private static int indexOf(String name, List<NetworkDevice> devices) {
    return devices.stream()
        .filter(device -> device.name().equals(name))
        .mapToInt(NetworkDevice::index)
        .findFirst()
        .orElse(0);
  }
}
