// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.FieldSelector;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.dependent.Creator;
import io.javaoperatorsdk.operator.processing.dependent.Updater;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.KubernetesDependentResource;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.pointsman.api.ProxyDataplane;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The one object of its kind in the operator's namespace, which all ProxyDataplanes share. It has
 * no owner: it must outlive each of them until the last node is back on kube-proxy.
 */
abstract class OwnedDependent<R extends HasMetadata>
    extends KubernetesDependentResource<R, ProxyDataplane>
    implements Creator<R, ProxyDataplane>, Updater<R, ProxyDataplane> {
  private final ResourceID id;

  OwnedDependent(Class<R> type, String namespace, String name) {
    super(type, name);
    this.id = new ResourceID(name, namespace);
  }

  /** Deletes the object; true when it is gone. */
  boolean deleted(Context<ProxyDataplane> context) {
    Optional<R> present = present();
    present
        .filter(object -> !object.isMarkedForDeletion())
        .ifPresent(object -> context.getClient().resource(object).delete());
    return present.isEmpty();
  }

  @Override
  public Optional<R> getSecondaryResource(ProxyDataplane primary, Context<ProxyDataplane> context) {
    return present();
  }

  @Override
  protected InformerEventSource<R, ProxyDataplane> createEventSource(
      EventSourceContext<ProxyDataplane> context) {
    var configuration =
        InformerEventSourceConfiguration.from(resourceType(), ProxyDataplane.class)
            .withName(name())
            .withNamespaces(id.getNamespace().orElseThrow())
            .withFieldSelector(
                new FieldSelector(new FieldSelector.Field("metadata.name", id.getName())))
            .withPrimaryToSecondaryMapper((ProxyDataplane dataplane) -> Set.of(id))
            .withSecondaryToPrimaryMapper(
                object ->
                    context
                        .getPrimaryCache()
                        .list()
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()));
    return new InformerEventSource<>(configuration.build(), context);
  }

  /** Nothing that names one of the resources: there may be several. */
  @Override
  protected void addReferenceHandlingMetadata(R desired, ProxyDataplane primary) {}

  private Optional<R> present() {
    return eventSource().flatMap(source -> source.get(id));
  }
}
