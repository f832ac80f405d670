// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.javaoperatorsdk.operator.processing.event.source.informer.TransformingItemStore;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.PodState;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Watches the pods of kube-proxy's DaemonSets, by the labels that these select, from the moment
 * that one is named.
 */
final class KubeProxyPods implements AutoCloseable {
  private static final Duration FIRST_LIST = Duration.ofSeconds(30);

  private final KubernetesClient client;
  private final Runnable changed;
  private final Map<Watched, SharedIndexInformer<Pod>> informers = new HashMap<>();

  private record Watched(DaemonSetRef daemonSet, Map<String, String> labels) {}

  KubeProxyPods(KubernetesClient client, Runnable changed) {
    this.client = client;
    this.changed = changed;
  }

  /** The state of the DaemonSet's pods by node. */
  synchronized Map<String, PodState> of(DaemonSetRef ref, DaemonSet daemonSet) {
    Map<String, String> labels = Reductions.podSelector(daemonSet).getMatchLabels();
    Map<String, PodState> states = new HashMap<>();
    informers
        .computeIfAbsent(new Watched(ref, Map.copyOf(labels)), this::start)
        .getStore()
        .list()
        .forEach(
            pod -> {
              PodState state = Reductions.podState(pod, ref.name());
              if (state != null) {
                states.merge(
                    pod.getSpec().getNodeName(),
                    state,
                    (one, other) -> one == PodState.READY ? one : other);
              }
            });
    return states;
  }

  /** Stops watching the pods of DaemonSets that nobody names any more. */
  synchronized void retain(Set<DaemonSetRef> refs) {
    informers
        .entrySet()
        .removeIf(
            entry -> {
              boolean unused = !refs.contains(entry.getKey().daemonSet());
              if (unused) {
                entry.getValue().stop();
              }
              return unused;
            });
  }

  @Override
  public synchronized void close() {
    retain(Set.of());
  }

  private SharedIndexInformer<Pod> start(Watched watched) {
    SharedIndexInformer<Pod> informer =
        client
            .pods()
            .inNamespace(watched.daemonSet().namespace())
            .withLabels(watched.labels())
            .runnableInformer(0)
            .itemStore(new TransformingItemStore<>(Reductions::pod));
    informer.addEventHandler(new Wake());
    try {
      informer.start().toCompletableFuture().get(FIRST_LIST.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      informer.stop();
      throw new IllegalStateException("interrupted while listing pods of " + watched, e);
    } catch (ExecutionException | TimeoutException e) {
      informer.stop();
      throw new IllegalStateException(
          "cannot list the pods of DaemonSet " + watched.daemonSet(), e);
    }
    return informer;
  }

  private final class Wake implements ResourceEventHandler<Pod> {
    @Override
    public void onAdd(Pod pod) {
      changed.run();
    }

    @Override
    public void onUpdate(Pod before, Pod pod) {
      changed.run();
    }

    @Override
    public void onDelete(Pod pod, boolean unknown) {
      changed.run();
    }
  }
}
