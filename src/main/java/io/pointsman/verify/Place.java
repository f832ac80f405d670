// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.Target;

/**
 * A frontend as the kernel names it: without what it is for.
 *
 * @param protocol the IANA number
 */
public record Place(Address address, int port, int protocol) {
  /** As people write it: {@code 10.96.0.1:443/TCP}, or {@code IPv4 node port 30080/TCP}. */
  @Override
  public String toString() {
    if (address.isAny()) {
      return address.family().text() + " node port " + port + "/" + name();
    }
    return new Target(address, port) + "/" + name();
  }

  private String name() {
    for (Protocol each : Protocol.values()) {
      if (each.number() == protocol) {
        return each.name();
      }
    }
    return "protocol " + protocol;
  }
}
