// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.NumberedServices.nodePort;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NumberedServices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Makes Service ports for tests. */
final class Services {
  static final Address NODE_V4 = Address.parse("198.51.100.7");
  static final Address NODE_V6 = Address.parse("2001:db8:7::7");
  static final Set<Address> NODE_ADDRESSES = Set.of(NODE_V4, NODE_V6, Address.parse("127.0.0.1"));

  private Services() {}

  /** A TCP Service port with a cluster IP, and a node port for every third. */
  static ServicePort port(int number, List<Backend> backends) {
    List<Frontend> frontends = new ArrayList<>();
    frontends.add(clusterIp(number));
    if (number % 3 == 0) {
      frontends.add(nodePort(30_000 + number));
    }
    return new ServicePort(id(number), frontends, backends);
  }

  static List<ServicePort> ports(int count, int backends) {
    List<ServicePort> ports = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ports.add(port(i, backends(i * 16, backends)));
    }
    return ports;
  }

  /** A Service port of any kind. */
  static ServicePort service(
      String name, Protocol protocol, List<Frontend> frontends, Backend... backends) {
    IpFamily family = frontends.getFirst().address().family();
    return new ServicePort(
        new ServicePortId("default", name, "", protocol, family),
        frontends,
        Arrays.asList(backends));
  }

  static Frontend frontend(String address, int port, Protocol protocol, FrontendKind kind) {
    return new Frontend(Address.parse(address), port, protocol, kind);
  }

  static DesiredState desired(Collection<ServicePort> ports) {
    return NumberedServices.desired(ports, NODE_ADDRESSES);
  }
}
