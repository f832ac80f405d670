// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.testing.PlainServices;
import java.util.List;
import java.util.stream.IntStream;

/** The same numbered Services for a dataplane and for the API server. */
final class SyncServices {
  /** How many endpoints each has at first. */
  static final int ENDPOINTS = 4;

  private static final String NAMESPACE = "default";

  private SyncServices() {}

  static ServicePort port(int number, int endpoints) {
    return new ServicePort(
        new ServicePortId(NAMESPACE, name(number), "", Protocol.TCP, IpFamily.IPV4),
        List.of(new Frontend(vip(number), 80, Protocol.TCP, FrontendKind.CLUSTER_IP)),
        IntStream.range(0, endpoints)
            .mapToObj(i -> new Backend(backend(number, i), 8080, false))
            .toList());
  }

  static Service service(int number) {
    return PlainServices.service(NAMESPACE, name(number), vip(number).toString());
  }

  static EndpointSlice slice(int number, int endpoints) {
    return PlainServices.slice(
        NAMESPACE,
        name(number),
        "",
        IntStream.range(0, endpoints).mapToObj(i -> backend(number, i).toString()).toList());
  }

  private static String name(int number) {
    return "service-" + number;
  }

  private static Address vip(int number) {
    return Address.ofV4(0x0a60_0100 + number);
  }

  private static Address backend(int number, int endpoint) {
    return Address.ofV4(0x0af4_0000 + number * ENDPOINTS + endpoint);
  }
}
