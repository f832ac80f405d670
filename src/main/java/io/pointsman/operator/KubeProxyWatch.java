// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.javaoperatorsdk.operator.processing.event.source.informer.TransformingItemStore;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.KubeProxyView;
import io.pointsman.operator.plan.PodState;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Watches kube-proxy's DaemonSets and their pods from the moment that a resource names one. Only
 * the namespaces that are named are read: the operator has no right to any other.
 */
final class KubeProxyWatch implements AutoCloseable {
  private static final Duration FIRST_LIST = Duration.ofSeconds(30);

  private final KubernetesClient client;
  private final Runnable changed;
  private final Map<DaemonSetRef, SharedIndexInformer<DaemonSet>> daemonSets = new HashMap<>();
  private final Map<PodsOf, SharedIndexInformer<Pod>> pods = new HashMap<>();

  private record PodsOf(DaemonSetRef daemonSet, Map<String, String> labels) {}

  KubeProxyWatch(KubernetesClient client, Runnable changed) {
    this.client = client;
    this.changed = changed;
  }

  /** The DaemonSets that are there, of those that are named or still touched. */
  synchronized Map<DaemonSetRef, KubeProxyView> views(Set<DaemonSetRef> named) {
    named.forEach(this::watch);
    Map<DaemonSetRef, KubeProxyView> views = new HashMap<>();
    for (DaemonSetRef ref : Set.copyOf(daemonSets.keySet())) {
      KubeProxyView view = view(ref);
      if (view != null) {
        views.put(ref, view);
      }
      if (!named.contains(ref) && (view == null || !view.touched())) {
        forget(ref);
      }
    }
    return views;
  }

  @Override
  public synchronized void close() {
    Set.copyOf(daemonSets.keySet()).forEach(this::forget);
  }

  private @Nullable KubeProxyView view(DaemonSetRef ref) {
    SharedIndexInformer<DaemonSet> informer = daemonSets.get(ref);
    if (informer == null) {
      return null;
    }
    return informer.getStore().list().stream()
        .findFirst()
        .map(found -> Reductions.view(found, null, pods(ref, found)))
        .orElse(null);
  }

  private Map<String, PodState> pods(DaemonSetRef ref, DaemonSet daemonSet) {
    var key = new PodsOf(ref, Map.copyOf(Reductions.podSelector(daemonSet).getMatchLabels()));
    SharedIndexInformer<Pod> informer = pods.get(key);
    if (informer == null) {
      informer =
          start(
              ref,
              client.pods().inNamespace(ref.namespace()).withLabels(key.labels()),
              Reductions::pod);
      pods.put(key, informer);
    }
    Map<String, PodState> states = new HashMap<>();
    for (Pod pod : informer.getStore().list()) {
      PodState state = Reductions.podState(pod, ref.name());
      if (state != null) {
        states.merge(
            pod.getSpec().getNodeName(),
            state,
            (one, other) -> one == PodState.READY ? one : other);
      }
    }
    return states;
  }

  /** A namespace that the operator may not read counts as one without the DaemonSet. */
  private void watch(DaemonSetRef ref) {
    if (daemonSets.containsKey(ref)) {
      return;
    }
    try {
      daemonSets.put(
          ref,
          start(
              ref,
              client
                  .apps()
                  .daemonSets()
                  .inNamespace(ref.namespace())
                  .withField("metadata.name", ref.name()),
              Reductions::daemonSet));
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
        throw e;
      }
    }
  }

  private void forget(DaemonSetRef ref) {
    SharedIndexInformer<DaemonSet> informer = daemonSets.remove(ref);
    if (informer != null) {
      informer.stop();
    }
    pods.entrySet()
        .removeIf(
            entry -> {
              boolean its = entry.getKey().daemonSet().equals(ref);
              if (its) {
                entry.getValue().stop();
              }
              return its;
            });
  }

  private <T extends HasMetadata> SharedIndexInformer<T> start(
      DaemonSetRef ref, Informable<T> resources, UnaryOperator<T> reduction) {
    SharedIndexInformer<T> informer =
        resources.runnableInformer(0).itemStore(new TransformingItemStore<>(reduction));
    informer.addEventHandler(new Wake<>());
    try {
      informer.start().toCompletableFuture().get(FIRST_LIST.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      informer.stop();
      throw new IllegalStateException("interrupted while listing DaemonSet " + ref, e);
    } catch (ExecutionException e) {
      informer.stop();
      if (e.getCause() instanceof KubernetesClientException refused) {
        throw refused;
      }
      throw new IllegalStateException("cannot list DaemonSet " + ref, e);
    } catch (TimeoutException e) {
      informer.stop();
      throw new IllegalStateException("cannot list DaemonSet " + ref, e);
    }
    return informer;
  }

  private final class Wake<T> implements ResourceEventHandler<T> {
    @Override
    public void onAdd(T object) {
      changed.run();
    }

    @Override
    public void onUpdate(T before, T object) {
      changed.run();
    }

    @Override
    public void onDelete(T object, boolean unknown) {
      changed.run();
    }
  }
}
