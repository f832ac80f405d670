// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Parts of Service ports, of TCP and IPv4, that are told apart by a number. */
public final class NumberedServices {
  private NumberedServices() {}

  /** A Service port's name. */
  public static ServicePortId id(int number) {
    return new ServicePortId("default", "service-" + number, "", Protocol.TCP, IpFamily.IPV4);
  }

  /** A cluster IP of its own, at port 80. */
  public static Frontend clusterIp(int number) {
    return new Frontend(
        Address.ofV4(0x0a60_0000 + number), 80, Protocol.TCP, FrontendKind.CLUSTER_IP);
  }

  /** A node port. */
  public static Frontend nodePort(int port) {
    return new Frontend(Address.ANY_V4, port, Protocol.TCP, FrontendKind.NODE_PORT);
  }

  /** As many backends from a number on. */
  public static List<Backend> backends(int first, int count) {
    List<Backend> backends = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      backends.add(backend(first + i));
    }
    return backends;
  }

  /** Every third backend runs on this node. */
  public static Backend backend(int number) {
    return new Backend(Address.ofV4(0x0af4_0000 + number), 8080, number % 3 == 0);
  }

  /** A desired state of these ports on a node whose addresses, if any are named, are these. */
  public static DesiredState desired(Collection<ServicePort> ports, Set<Address> node) {
    Digest digest = Digest.EMPTY;
    for (ServicePort port : ports) {
      digest = digest.plus(Digest.of(port));
    }
    return new DesiredState(List.copyOf(ports), node, digest);
  }
}
