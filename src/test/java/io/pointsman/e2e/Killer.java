// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.api.NodeDataplane;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Kills a program of ours with -9 the moment a node is seen at a step for the first time. */
final class Killer implements Watcher<NodeDataplane>, AutoCloseable {
  /** Which program dies. */
  enum Victim {
    AGENT("agent"),
    OPERATOR("operator");

    private final String subcommand;

    Victim(String subcommand) {
      this.subcommand = subcommand;
    }
  }

  private final TestCluster cluster;
  private final Victim victim;
  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private final Queue<String> killed = new ConcurrentLinkedQueue<>();
  private final Watch watch;

  Killer(TestCluster cluster, Victim victim) {
    this.cluster = cluster;
    this.victim = victim;
    this.watch = cluster.client().resources(NodeDataplane.class).watch(this);
  }

  /** What was killed and when: node and step. */
  Queue<String> killed() {
    return killed;
  }

  @Override
  public void eventReceived(Action action, NodeDataplane node) {
    if (action == Action.DELETED || node.getStatus() == null || node.getStatus().step == null) {
      return;
    }
    var step = node.getStatus().step.name();
    // Each step once in the whole walk, so that no pod dies so often that its restart is put off.
    if (seen.add(step)) {
      kill(node.getMetadata().getName(), step);
    }
  }

  private void kill(String node, String step) {
    var nodes =
        victim == Victim.AGENT
            ? List.of(node)
            : cluster.nodes().stream().map(TestCluster.Node::name).toList();
    var script =
        "for p in $(pgrep -x java); do tr '\\0' ' ' < /proc/$p/cmdline | grep -q ' %s *$' && kill -9 $p && echo $p; done; true"
            .formatted(victim.subcommand);
    for (var one : nodes) {
      var ended = cluster.onNode(one, "sh", "-c", script);
      if (!ended.isBlank()) {
        killed.add("%s on %s at %s".formatted(victim.subcommand, one, step));
      }
    }
  }

  @Override
  public void onClose(WatcherException cause) {
    killed.add("watch ended: " + cause.getMessage());
  }

  @Override
  public void close() {
    watch.close();
  }
}
