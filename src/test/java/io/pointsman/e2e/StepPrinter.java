// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Prints each node's steps as they happen, and knows how long each took. */
final class StepPrinter implements Watcher<NodeDataplane>, AutoCloseable {
  private static final DateTimeFormatter MILLIS = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

  /** Of a node that has nothing to do. */
  private static final String NOTHING = "";

  private final Map<String, String> steps = new HashMap<>();
  private final Map<String, List<Moment>> moments = new TreeMap<>();
  private final Watch watch;

  /** When a node was first seen at something. */
  private record Moment(String what, Instant since) {}

  /** Follows every node from now on. */
  StepPrinter(TestCluster cluster) {
    this.watch = cluster.client().resources(NodeDataplane.class).watch(this);
  }

  @Override
  public synchronized void eventReceived(Action action, NodeDataplane node) {
    var name = node.getMetadata().getName();
    var status = node.getStatus();
    if (action == Action.DELETED) {
      seen(name, NOTHING);
      return;
    }
    if (status == null || status.step == null) {
      return;
    }
    seen(name, what(status, node.getSpec().kubeProxy));
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

  private void seen(String node, String what) {
    var all = moments.computeIfAbsent(node, any -> new ArrayList<>());
    if (all.isEmpty() || !all.getLast().what().equals(what)) {
      all.add(new Moment(what, Instant.now()));
    }
  }

  private static String what(NodeDataplaneStatus status, @Nullable KubeProxyState kubeProxy) {
    if (kubeProxy == KubeProxyState.DETACHING) {
      return "kube-proxy leaves";
    }
    if (kubeProxy == KubeProxyState.ATTACHING) {
      return "kube-proxy comes";
    }
    return status.step == Step.CLEAN && status.result == StepResult.DONE
        ? NOTHING
        : String.valueOf(status.step);
  }

  /**
   * Seconds that each node took for each step since then, in words; what was before is forgotten.
   */
  synchronized String times(Instant began) {
    var words =
        moments.entrySet().stream()
            .map(node -> node.getKey() + " " + times(node.getValue(), began))
            .collect(Collectors.joining("; "));
    moments.clear();
    return words;
  }

  private static String times(List<Moment> moments, Instant began) {
    var words = new ArrayList<String>();
    var last = new Moment("waits", began);
    for (var moment : moments) {
      if (moment.since().isBefore(began)) {
        continue;
      }
      if (!last.what().equals(NOTHING)) {
        var seconds = Duration.between(last.since(), moment.since()).toMillis() / 1000.0;
        words.add("%s %.1f".formatted(last.what(), seconds));
      }
      last = moment;
    }
    return String.join(", ", words);
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
