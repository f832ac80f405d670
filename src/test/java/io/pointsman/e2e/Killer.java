// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.operator.PointsmanOperator;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

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

  /** Deaths of one node's agent, so that the kubelet's back-off does not grow beyond a minute. */
  private static final int DEATHS = 4;

  private final TestCluster cluster;
  private final Victim victim;
  private final Map<String, String> deaths = new ConcurrentSkipListMap<>();
  private final Watch watch;

  Killer(TestCluster cluster, Victim victim) {
    this.cluster = cluster;
    this.victim = victim;
    this.watch = cluster.client().resources(NodeDataplane.class).watch(this);
  }

  /** The moments at which it was killed, each with the node that was there then. */
  Map<String, String> deaths() {
    return Map.copyOf(deaths);
  }

  /** Each moment once in the whole walk, at the first node that comes there and can be used. */
  @Override
  public void eventReceived(Action action, NodeDataplane node) {
    var moment = moment(node);
    var name = node.getMetadata().getName();
    if (action == Action.DELETED || moment.isEmpty() || deaths.containsKey(moment)) {
      return;
    }
    var before = deaths.values().stream().filter(name::equals).count();
    var may = victim == Victim.OPERATOR || before < DEATHS;
    if (may && kill(victim == Victim.AGENT ? name : leadersNode())) {
      deaths.put(moment, name);
    }
  }

  /** Kube-proxy's comings and goings are steps of the operator's, which no agent reports. */
  private static String moment(NodeDataplane node) {
    var kubeProxy = node.getSpec().kubeProxy;
    if (kubeProxy == KubeProxyState.DETACHING || kubeProxy == KubeProxyState.ATTACHING) {
      return kubeProxy.name();
    }
    var status = node.getStatus();
    return status == null || status.step == null ? "" : status.step.name();
  }

  private String leadersNode() {
    var lease =
        cluster
            .client()
            .leases()
            .inNamespace(TestCluster.NAMESPACE)
            .withName(PointsmanOperator.LEASE)
            .require();
    var leader = lease.getSpec().getHolderIdentity();
    var pod = cluster.client().pods().inNamespace(TestCluster.NAMESPACE).withName(leader).get();
    return pod == null ? "" : pod.getSpec().getNodeName();
  }

  /** Whether there was one to kill: it may be dead from before. */
  private boolean kill(String node) {
    if (node.isEmpty()) {
      return false;
    }
    var script =
        "for p in $(pgrep -x java); do tr '\\0' ' ' < /proc/$p/cmdline | grep -q ' %s *$' && kill -9 $p && echo $p; done; true"
            .formatted(victim.subcommand);
    return !cluster.onNode(node, "sh", "-c", script).isBlank();
  }

  @Override
  public void onClose(WatcherException cause) {
    deaths.put("the watch ended", String.valueOf(cause.getMessage()));
  }

  @Override
  public void close() {
    watch.close();
  }
}
