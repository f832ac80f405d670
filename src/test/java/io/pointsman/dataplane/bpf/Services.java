// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.NumberedServices.nodePort;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NumberedServices;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Makes Service ports for tests. */
final class Services {
  static final Set<Address> NODE_ADDRESSES =
      Set.of(
          Address.parse("198.51.100.7"), Address.parse("127.0.0.1"), Address.parse("2001:db8::7"));

  private Services() {}

  /** A Service port with a cluster IP, and a node port for every tenth. */
  static ServicePort port(int number, List<Backend> backends) {
    List<Frontend> frontends = new ArrayList<>();
    frontends.add(clusterIp(number));
    if (number % 10 == 0 && number / 10 < 2767) {
      frontends.add(nodePort(30_000 + number / 10));
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

  static DesiredState desired(Collection<ServicePort> ports) {
    return NumberedServices.desired(ports, NODE_ADDRESSES);
  }
}
