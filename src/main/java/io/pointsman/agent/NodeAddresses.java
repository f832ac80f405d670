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

  /** All addresses of the node in one of the ranges; without ranges, all. */
  static Set<Address> ofNode(List<String> ranges) {
    List<AddressRange> allowed = new ArrayList<>();
    for (String range : ranges) {
      allowed.add(AddressRange.parse(range));
    }
    Set<Address> addresses = HostAddresses.read();
    if (!allowed.isEmpty()) {
      addresses.removeIf(address -> allowed.stream().noneMatch(r -> r.contains(address)));
    }
    return addresses;
  }
}
