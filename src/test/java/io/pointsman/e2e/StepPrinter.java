// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.api.NodeDataplane;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** Prints each node's steps as they happen. */
final class StepPrinter implements Watcher<NodeDataplane>, AutoCloseable {
  private static final DateTimeFormatter MILLIS = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

  private final Map<String, String> steps = new HashMap<>();
  private final Watch watch;

  /** Follows every node from now on. */
  StepPrinter(TestCluster cluster) {
    this.watch = cluster.client().resources(NodeDataplane.class).watch(this);
  }

  @Override
  public synchronized void eventReceived(Action action, NodeDataplane node) {
    var status = node.getStatus();
    if (action == Action.DELETED || status == null || status.step == null) {
      return;
    }
    var name = node.getMetadata().getName();
    var now =
        "%-9s %-11s kube-proxy %-9s %s"
            .formatted(
                status.step,
                status.result,
                node.getSpec().kubeProxy,
                Objects.requireNonNullElse(status.reason, ""));
    if (!now.equals(steps.put(name, now))) {
      System.out.printf("%s  %s  %s%n", MILLIS.format(LocalTime.now()), name, now.strip());
    }
  }

  @Override
  public synchronized void onClose(WatcherException cause) {
    System.out.println("the watch of NodeDataplanes ended: " + cause.getMessage());
  }

  @Override
  public void close() {
    watch.close();
  }
}
