// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/** Where an endpoint listens. */
public record Target(Address address, int port) implements Comparable<Target> {
  @Override
  public int compareTo(Target other) {
    int byAddress = address.compareTo(other.address);
    return byAddress != 0 ? byAddress : Integer.compare(port, other.port);
  }

  /** As kube-proxy writes it: an IPv6 address stands in brackets. */
  @Override
  public String toString() {
    return address.isV4() ? address + ":" + port : "[" + address + "]:" + port;
  }
}
