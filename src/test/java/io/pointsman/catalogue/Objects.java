// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Services and slices as the API server hands them out. */
public final class Objects {
  private Objects() {}

  /** A Service with one TCP port named http, 80, and one cluster address per argument. */
  public static Service service(String name, String... clusterIps) {
    return new ServiceBuilder()
        .withNewMetadata()
        .withNamespace("default")
        .withName(name)
        .withCreationTimestamp("2026-01-01T00:00:00Z")
        .endMetadata()
        .withNewSpec()
        .withType("ClusterIP")
        .withClusterIP(clusterIps[0])
        .withClusterIPs(clusterIps)
        .addToPorts(
            new ServicePortBuilder()
                .withName("http")
                .withProtocol("TCP")
                .withPort(80)
                .withTargetPort(new IntOrString("web"))
                .build())
        .endSpec()
        .build();
  }

  /** A Service changed. */
  public static Service service(
      String name, String clusterIp, UnaryOperator<ServiceBuilder> change) {
    return change.apply(new ServiceBuilder(service(name, clusterIp))).build();
  }

  /** A slice with port http on 8080. */
  public static EndpointSlice slice(String service, String name, Endpoint... endpoints) {
    return slice(service, name, "IPv4", endpoints);
  }

  /** A slice of an address type with port http on 8080. */
  public static EndpointSlice slice(
      String service, String name, String addressType, Endpoint... endpoints) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withNamespace("default")
        .withName(name)
        .addToLabels(SliceReader.SERVICE_NAME_LABEL, service)
        .endMetadata()
        .withAddressType(addressType)
        .withEndpoints(List.of(endpoints))
        .withPorts(
            new EndpointPortBuilder().withName("http").withProtocol("TCP").withPort(8080).build())
        .build();
  }

  /** A slice changed. */
  public static EndpointSlice change(
      EndpointSlice slice, UnaryOperator<EndpointSliceBuilder> change) {
    return change.apply(new EndpointSliceBuilder(slice)).build();
  }

  /** A ready endpoint on node-1. */
  public static Endpoint ready(String address) {
    return endpoint(address, true, true, false);
  }

  /** An endpoint on node-1; null leaves the condition out. */
  public static Endpoint endpoint(
      String address,
      @Nullable Boolean ready,
      @Nullable Boolean serving,
      @Nullable Boolean terminating) {
    return new EndpointBuilder()
        .withAddresses(address)
        .withNodeName("node-1")
        .withNewConditions()
        .withReady(ready)
        .withServing(serving)
        .withTerminating(terminating)
        .endConditions()
        .build();
  }
}
