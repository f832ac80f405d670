// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Services without a selector, whose endpoints no controller writes, and their slices. */
public final class PlainServices {
  private PlainServices() {}

  /**
   * A Service with TCP port 80.
   *
   * @param clusterIp its cluster address; null lets the API server choose one
   */
  public static Service service(String namespace, String name, @Nullable String clusterIp) {
    return new ServiceBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(namespace)
        .endMetadata()
        .withNewSpec()
        .withClusterIP(clusterIp)
        .addNewPort()
        .withPort(80)
        .endPort()
        .endSpec()
        .build();
  }

  /**
   * All endpoints of a Service, at TCP port 8080 of IPv4 addresses.
   *
   * @param port the name of the Service's port
   */
  public static EndpointSlice slice(
      String namespace, String service, String port, Collection<String> addresses) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(service)
        .withNamespace(namespace)
        .addToLabels("kubernetes.io/service-name", service)
        .endMetadata()
        .withAddressType("IPv4")
        .addNewPort()
        .withName(port)
        .withPort(8080)
        .withProtocol("TCP")
        .endPort()
        .withEndpoints(addresses.stream().map(PlainServices::ready).toList())
        .build();
  }

  private static Endpoint ready(String address) {
    return new EndpointBuilder()
        .withAddresses(List.of(address))
        .withNewConditions()
        .withReady(true)
        .endConditions()
        .build();
  }
}
