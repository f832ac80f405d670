// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import java.util.List;
import java.util.stream.Stream;

/** Service ports whose rules a real kube-proxy 1.36 was seen to write. */
final class Samples {
  static final ServicePort WEB =
      port(
          new ServicePortId("default", "web", "http", Protocol.TCP, IpFamily.IPV4),
          List.of(
              frontend("10.96.0.50", 80, Protocol.TCP, FrontendKind.CLUSTER_IP),
              frontend("203.0.113.7", 80, Protocol.TCP, FrontendKind.EXTERNAL_IP),
              frontend("198.51.100.20", 80, Protocol.TCP, FrontendKind.LOAD_BALANCER),
              frontend("0.0.0.0", 30080, Protocol.TCP, FrontendKind.NODE_PORT)),
          "10.244.0.5 8080",
          "10.244.1.6 8080",
          "10.244.2.7 8080");
  static final ServicePort WEB_6 =
      port(
          new ServicePortId("default", "web", "http", Protocol.TCP, IpFamily.IPV6),
          List.of(
              frontend("fd00:96::50", 80, Protocol.TCP, FrontendKind.CLUSTER_IP),
              frontend("2001:db8:9::7", 80, Protocol.TCP, FrontendKind.EXTERNAL_IP),
              frontend("::", 30080, Protocol.TCP, FrontendKind.NODE_PORT)),
          "fd00:10:244::5 8080",
          "fd00:10:244:1::6 8080");
  static final ServicePort EMPTY =
      port(
          new ServicePortId("default", "empty", "", Protocol.UDP, IpFamily.IPV4),
          List.of(
              frontend("10.96.0.51", 53, Protocol.UDP, FrontendKind.CLUSTER_IP),
              frontend("203.0.113.8", 53, Protocol.UDP, FrontendKind.EXTERNAL_IP),
              frontend("0.0.0.0", 30053, Protocol.UDP, FrontendKind.NODE_PORT)));
  static final ServicePort ONE =
      port(
          new ServicePortId("default", "one", "", Protocol.UDP, IpFamily.IPV4),
          List.of(frontend("10.96.0.52", 53, Protocol.UDP, FrontendKind.CLUSTER_IP)),
          "10.244.0.9 5353");
  static final List<ServicePort> ALL = List.of(WEB, WEB_6, EMPTY, ONE);

  private Samples() {}

  static ServicePort port(ServicePortId id, List<Frontend> frontends, String... backends) {
    return new ServicePort(
        id,
        frontends,
        Stream.of(backends)
            .map(text -> text.split(" ", 2))
            .map(parts -> new Backend(Address.parse(parts[0]), Integer.parseInt(parts[1]), false))
            .toList());
  }

  static Frontend frontend(String address, int port, Protocol protocol, FrontendKind kind) {
    return new Frontend(Address.parse(address), port, protocol, kind);
  }
}
