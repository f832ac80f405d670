// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.operator.plan.Names;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** What the NodeDataplanes have been, told by the API server's own order and times. */
final class NodeHistory implements Watcher<NodeDataplane>, AutoCloseable {
  private final LinuxDataplane wanted;
  private final Map<String, Boolean> switching = new HashMap<>();
  private final Map<String, Instant> begun = new HashMap<>();
  private final Map<String, Instant> converged = new HashMap<>();
  private final Watch watch;
  private long most;

  /** Follows every node from now on to this dataplane. */
  NodeHistory(TestCluster cluster, LinuxDataplane wanted) {
    this.wanted = wanted;
    this.watch = cluster.client().resources(NodeDataplane.class).watch(this);
  }

  @Override
  public synchronized void eventReceived(Action action, NodeDataplane node) {
    var name = node.getMetadata().getName();
    var annotations =
        Objects.requireNonNullElse(node.getMetadata().getAnnotations(), Map.<String, String>of());
    if (node.getSpec().linuxDataplane != wanted || annotations.containsKey(Names.FAILURE)) {
      return;
    }
    var since = annotations.get(Names.SWITCHING_SINCE);
    if (since != null) {
      begun.putIfAbsent(name, Instant.parse(since));
    }
    var done = annotations.get(Names.CONVERGED_SINCE);
    if (done != null) {
      converged.putIfAbsent(name, Instant.parse(done));
    }
    switching.put(name, since != null && done == null);
    most = Math.max(most, switching.values().stream().filter(each -> each).count());
  }

  /** When each node's switch began. */
  synchronized Map<String, Instant> begun() {
    return Map.copyOf(begun);
  }

  /** Since when each node is proven on the dataplane. */
  synchronized Map<String, Instant> converged() {
    return Map.copyOf(converged);
  }

  /** How many nodes were between begun and proven at the same time, at most. */
  synchronized long mostSwitching() {
    return most;
  }

  @Override
  public void onClose(WatcherException cause) {
    throw new IllegalStateException("the watch of NodeDataplanes ended", cause);
  }

  @Override
  public void close() {
    watch.close();
  }
}
