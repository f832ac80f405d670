// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.VirtualServer;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Tells virtual servers of Services from those of others: ours stand at an address of kube-ipvs0,
 * at a place that is in a set, or at a node port's address with a port that is in one; or they were
 * written by this process, whatever has become of the sets since.
 */
final class Ownership {
  private final IpvsOptions options;
  private final IpSets.Read present;
  private final Set<Address> serviceAddresses = new HashSet<>();
  private final Set<Address> nodeAddresses = new HashSet<>();
  private final Set<VirtualServer> written;

  /** What a virtual server is of a Service's. */
  enum Owner {
    FRONTEND,
    NODE_PORT
  }

  /**
   * From what was read.
   *
   * @param present the sets, those of a kube-proxy among them
   * @param bound the addresses on kube-ipvs0
   * @param takenOver addresses at which ports that the sets name are a kube-proxy's, which serves
   *     node ports at more of them than may be wanted
   * @param written those that this process made, or took for Services' before
   */
  Ownership(
      IpvsOptions options,
      IpSets.Read present,
      Collection<InetAddress> bound,
      Set<Address> takenOver,
      Set<VirtualServer> written) {
    this.options = options;
    this.present = present;
    this.written = written;
    bound.forEach(address -> serviceAddresses.add(Address.of(address)));
    nodeAddresses.addAll(takenOver);
    nodeAddresses.add(Address.ANY_V4);
    nodeAddresses.add(Address.ANY_V6);
    for (SetEntry entry : present.entries()) {
      if (entry.set() == SetName.SERVICE_ADDRESSES) {
        serviceAddresses.add(Address.parse(entry.text()));
      } else if (entry.set() == SetName.NODE_ADDRESSES) {
        nodeAddresses.add(Address.parse(entry.text()));
      }
    }
  }

  /** Whether it is a Service's. */
  boolean owns(VirtualServer server) {
    return !of(server).isEmpty();
  }

  /** Both where a node port is also the port of a Service at that address; nothing of others'. */
  Set<Owner> of(VirtualServer server) {
    Address address = Address.of(server.address());
    if (options.excludes(address)) {
      return Set.of();
    }
    boolean nodePort = nodeAddresses.contains(address) && isNodePort(server);
    if (isFrontend(address, server)) {
      return nodePort ? Set.of(Owner.NODE_PORT, Owner.FRONTEND) : Set.of(Owner.FRONTEND);
    }
    if (!nodePort && serviceAddresses.contains(address)) {
      return Set.of(Owner.FRONTEND);
    }
    return nodePort || written.contains(server) ? Set.of(Owner.NODE_PORT) : Set.of();
  }

  private boolean isNodePort(VirtualServer server) {
    IpFamily family = server.isV6() ? IpFamily.IPV6 : IpFamily.IPV4;
    String port = Integer.toString(server.port());
    return Protocol.of(server.protocol())
        .map(
            protocol ->
                switch (protocol) {
                  case TCP -> new SetEntry(SetName.NODE_PORT_TCP, family, port);
                  case UDP -> new SetEntry(SetName.NODE_PORT_UDP, family, port);
                  case SCTP ->
                      new SetEntry(
                          SetName.NODE_PORT_SCTP,
                          family,
                          SetEntry.place(Address.of(server.address()), protocol, server.port()));
                })
        .filter(present.entries()::contains)
        .isPresent();
  }

  private boolean isFrontend(Address address, VirtualServer server) {
    return Protocol.of(server.protocol())
        .map(protocol -> SetEntry.place(address, protocol, server.port()))
        .filter(
            place ->
                has(SetName.CLUSTER_IP, address, place)
                    || has(SetName.EXTERNAL_IP, address, place)
                    || has(SetName.LOAD_BALANCER, address, place))
        .isPresent();
  }

  private boolean has(SetName set, Address address, String place) {
    SetEntry entry = new SetEntry(set, address.family(), place);
    // kube-proxy does not put an address of the host on its device: this set alone has it.
    return present.entries().contains(entry) || present.externalLocal().contains(entry);
  }
}
