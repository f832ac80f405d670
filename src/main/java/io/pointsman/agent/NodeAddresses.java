// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.HostAddresses;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Which of the node's addresses answer on node ports. */
final class NodeAddresses {
  private NodeAddresses() {}

  /** The node's addresses in one of the ranges; of a family without a range all, as kube-proxy. */
  static Set<Address> ofNode(List<String> ranges) {
    List<AddressRange> allowed = new ArrayList<>();
    for (String range : ranges) {
      allowed.add(AddressRange.parse(range));
    }
    Set<Address> addresses = HostAddresses.read();
    addresses.removeIf(address -> isShutOut(address, allowed));
    return addresses;
  }

  private static boolean isShutOut(Address address, List<AddressRange> allowed) {
    List<AddressRange> ofFamily =
        allowed.stream().filter(range -> range.base().family() == address.family()).toList();
    return !ofFamily.isEmpty() && ofFamily.stream().noneMatch(range -> range.contains(address));
  }
}
