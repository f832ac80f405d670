// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.javaoperatorsdk.operator.processing.event.source.informer.TransformingItemStore;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceInput;
import io.pointsman.catalogue.SliceReader;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The operator's own catalogue of the cluster's Services; of each object only that stays. */
final class CatalogueWatch implements DigestSource, AutoCloseable {
  private final KubernetesClient client;
  private final Clock clock;
  private final Catalogue catalogue = Catalogue.clusterWide();
  private final DigestHistory history = new DigestHistory();
  private final ServiceReader services;
  private final SliceReader slices;
  private final List<SharedIndexInformer<?>> informers = new ArrayList<>();
  private boolean synced;

  CatalogueWatch(KubernetesClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
    Names names = new Names();
    services = new ServiceReader(names);
    slices = new SliceReader(names);
  }

  /** Starts watching; until the first lists are in, no digest counts. */
  void start() {
    CompletableFuture<Void> first =
        watch(
            client.services().inAnyNamespace(),
            Service.class,
            service -> catalogue.upsertService(services.read(service)),
            service -> catalogue.removeService(services.key(service.getMetadata())));
    CompletableFuture<Void> second =
        watch(
            client.discovery().v1().endpointSlices().inAnyNamespace(),
            EndpointSlice.class,
            this::upsert,
            slice -> catalogue.removeSlice(slices.key(slice.getMetadata())));
    var unused = CompletableFuture.allOf(first, second).thenRun(this::synced);
  }

  /** Whether the catalogue is whole and still follows. */
  synchronized boolean healthy() {
    return synced && informers.stream().allMatch(SharedIndexInformer::isRunning);
  }

  @Override
  public synchronized String current() {
    return history.current();
  }

  @Override
  public synchronized Set<String> recent(Instant now) {
    return synced ? history.recent(now) : Set.of();
  }

  @Override
  public void close() {
    List<SharedIndexInformer<?>> running;
    synchronized (this) {
      running = List.copyOf(informers);
    }
    running.forEach(SharedIndexInformer::stop);
  }

  private synchronized void synced() {
    synced = true;
    history.restart(catalogue.digest());
  }

  private void upsert(EndpointSlice slice) {
    SliceInput input = slices.read(slice);
    if (input == null) {
      catalogue.removeSlice(slices.key(slice.getMetadata()));
    } else {
      catalogue.upsertSlice(input);
    }
  }

  private synchronized void apply(Runnable change) {
    change.run();
    history.change(catalogue.digest(), clock.instant());
  }

  private <T extends HasMetadata> CompletableFuture<Void> watch(
      Informable<T> resources, Class<T> type, Consumer<T> upsert, Consumer<T> remove) {
    SharedIndexInformer<T> informer =
        resources
            .runnableInformer(0)
            .itemStore(new TransformingItemStore<>(object -> stub(type, object)));
    informer.addEventHandler(
        new ResourceEventHandler<T>() {
          @Override
          public void onAdd(T object) {
            apply(() -> upsert.accept(object));
          }

          @Override
          public void onUpdate(T before, T object) {
            apply(() -> upsert.accept(object));
          }

          @Override
          public void onDelete(T object, boolean unknown) {
            apply(() -> remove.accept(object));
          }
        });
    synchronized (this) {
      informers.add(informer);
    }
    return informer.start().toCompletableFuture();
  }

  /** The item store itself puts name, namespace and version back. */
  private static <T extends HasMetadata> T stub(Class<T> type, T object) {
    try {
      T stub = type.getDeclaredConstructor().newInstance();
      stub.setMetadata(new ObjectMeta());
      stub.getMetadata().setUid(object.getMetadata().getUid());
      return stub;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("every model class has a public constructor", e);
    }
  }
}
