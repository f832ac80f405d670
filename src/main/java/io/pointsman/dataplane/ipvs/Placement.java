// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.HostAddresses;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.VirtualServer;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where virtual servers of Services stand on this node.
 *
 * @param nodeAddresses those that answer on node ports
 * @param hostAddresses those on other devices than kube-ipvs0, which are not put there as well
 * @param broadcasts those that ip_vs takes for no real server's
 */
record Placement(Set<Address> nodeAddresses, Set<Address> hostAddresses, Set<Address> broadcasts) {
  private static final AddressRange LOOPBACK_V4 = AddressRange.parse("127.0.0.0/8");
  private static final Address LOOPBACK_V6 = Address.parse("::1");

  /** Takes copies and leaves out loopback, through which ip_vs cannot answer. */
  Placement {
    Set<Address> answering = new TreeSet<>(nodeAddresses);
    answering.removeIf(each -> LOOPBACK_V4.contains(each) || each.equals(LOOPBACK_V6));
    answering.retainAll(hostAddresses);
    nodeAddresses = Set.copyOf(answering);
    hostAddresses = Set.copyOf(hostAddresses);
    broadcasts = Set.copyOf(broadcasts);
  }

  /**
   * From the kernel: what is on other devices than this one is the host's own, on this one or not.
   *
   * @param nodePortAddresses those that are to answer on node ports; none does that was excluded
   */
  static Placement read(IpvsOptions options, DummyDevice device, Set<Address> nodePortAddresses) {
    Set<Address> answering = new HashSet<>(nodePortAddresses);
    answering.removeIf(options::excludes);
    return new Placement(answering, host(device), HostAddresses.broadcasts());
  }

  private static Set<Address> host(DummyDevice device) {
    Set<Address> host = new HashSet<>();
    for (InetAddress address : device.elsewhere()) {
      if (!address.isLinkLocalAddress()) {
        host.add(Address.of(address));
      }
    }
    return host;
  }

  /** Whether an address of a Service has to be put on kube-ipvs0. */
  boolean isVirtual(Address address) {
    return !hostAddresses.contains(address);
  }

  /** The addresses that have come to the host since, or gone. */
  Set<Address> moved(DummyDevice device) {
    Set<Address> now = host(device);
    Set<Address> moved = new HashSet<>(hostAddresses);
    moved.addAll(now);
    moved.removeIf(each -> hostAddresses.contains(each) && now.contains(each));
    return moved;
  }

  /** Where a kube-proxy whose device was found may have served node ports, until this serves. */
  static Set<Address> takenOver(Note note, DummyDevice device) {
    Set<Address> found = new HashSet<>();
    if (note.phase() == Phase.ABSENT || note.found() && note.phase() == Phase.PREPARED) {
      for (InetAddress address : device.elsewhere()) {
        // Unlike here, node ports of kube-proxy are at link-local addresses of IPv4, too.
        if (address instanceof Inet4Address || !address.isLinkLocalAddress()) {
          found.add(Address.of(address));
        }
      }
    }
    return found;
  }

  /**
   * Where node ports of a family are: at the wildcard address, which no packet carries, when no
   * address of the node answers on them.
   */
  List<Address> nodePortAddresses(IpFamily family) {
    List<Address> found =
        nodeAddresses.stream().filter(address -> address.family() == family).sorted().toList();
    return found.isEmpty() ? List.of(wildcard(family)) : found;
  }

  static Address wildcard(IpFamily family) {
    return family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
  }

  /** The virtual servers of a Service port. */
  List<VirtualServer> servers(ServicePort port) {
    List<VirtualServer> servers = new ArrayList<>(port.frontends().size());
    for (Frontend frontend : port.frontends()) {
      int protocol = frontend.protocol().number();
      if (frontend.kind() == FrontendKind.NODE_PORT) {
        for (Address address : nodePortAddresses(frontend.address().family())) {
          servers.add(Addresses.virtual(address, frontend.port(), protocol));
        }
      } else {
        servers.add(Addresses.virtual(frontend.address(), frontend.port(), protocol));
      }
    }
    return servers;
  }
}
