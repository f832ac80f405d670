// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.ipvs.IpvsDataplane;
import io.pointsman.kernel.DeviceAddress;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which of the node's addresses answer on node ports. */
final class NodeAddresses {
  private NodeAddresses() {}

  /**
   * All addresses of the node in one of the ranges; without ranges, all. Loopback and link-local
   * ones never are: the first is served anyway, the second means another node on every link. Nor
   * are those of the device that an IPVS dataplane keeps the Services' addresses on.
   */
  static Set<Address> ofNode(List<String> ranges) {
    List<AddressRange> allowed = new ArrayList<>();
    for (String range : ranges) {
      allowed.add(AddressRange.parse(range));
    }
    Set<Address> addresses = new HashSet<>();
    try (RtNetlink netlink = new RtNetlink()) {
      int services = indexOf(IpvsDataplane.DEVICE, netlink.devices());
      for (DeviceAddress device : netlink.addresses()) {
        InetAddress inet = device.address();
        if (device.index() != services && !inet.isLoopbackAddress() && !inet.isLinkLocalAddress()) {
          Address address = Address.parse(inet.getHostAddress());
          if (allowed.isEmpty() || allowed.stream().anyMatch(r -> r.contains(address))) {
            addresses.add(address);
          }
        }
      }
    }
    return addresses;
  }

  private static int indexOf(String name, List<NetworkDevice> devices) {
    return devices.stream()
        .filter(device -> device.name().equals(name))
        .mapToInt(NetworkDevice::index)
        .findFirst()
        .orElse(0);
  }
}
