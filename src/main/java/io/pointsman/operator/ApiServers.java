// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.pointsman.api.ProxyDataplane;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Where the API servers themselves listen, for agents of nodes on which no Service is served yet:
 * one URL per line, sorted, in the file {@code api-servers}.
 */
final class ApiServers extends OwnedDependent<ConfigMap> {
  static final String NAME = "pointsman-api-servers";
  static final String KEY = "api-servers";
  private static final String SERVICE_LABEL = "kubernetes.io/service-name=kubernetes";

  private final String namespace;
  private final InformerEventSource<EndpointSlice, ProxyDataplane> slices;

  ApiServers(String namespace, EventSourceContext<ProxyDataplane> context) {
    super(ConfigMap.class, namespace, NAME);
    this.namespace = namespace;
    this.slices =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(EndpointSlice.class, ProxyDataplane.class)
                .withName("api-server-endpoints")
                .withNamespaces("default")
                .withLabelSelector(SERVICE_LABEL)
                .withPrimaryToSecondaryMapper((ProxyDataplane dataplane) -> Set.of())
                .withSecondaryToPrimaryMapper(
                    slice ->
                        context
                            .getPrimaryCache()
                            .list()
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .build(),
            context);
  }

  InformerEventSource<EndpointSlice, ProxyDataplane> endpoints() {
    return slices;
  }

  /** Whether the endpoints are known; an empty list would take the agents' way from them. */
  boolean known() {
    return !urls(slices.list().toList()).isEmpty();
  }

  @Override
  protected ConfigMap desired(ProxyDataplane primary, Context<ProxyDataplane> context) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(NAME)
        .withNamespace(namespace)
        .withLabels(Map.of("app.kubernetes.io/name", "pointsman"))
        .endMetadata()
        .withData(Map.of(KEY, urls(slices.list().toList())))
        .build();
  }

  static String urls(Collection<EndpointSlice> slices) {
    TreeSet<String> urls = new TreeSet<>();
    for (EndpointSlice slice : slices) {
      for (EndpointPort port : slice.getPorts()) {
        slice.getEndpoints().stream()
            .flatMap(endpoint -> endpoint.getAddresses().stream())
            .map(address -> address.contains(":") ? "[" + address + "]" : address)
            .forEach(address -> urls.add("https://" + address + ":" + port.getPort()));
      }
    }
    return urls.stream().map(url -> url + "\n").collect(Collectors.joining());
  }
}
