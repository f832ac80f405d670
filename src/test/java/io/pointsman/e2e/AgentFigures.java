// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.Node;
import java.time.Duration;
import java.util.List;

/** What an agent tells of itself in its metrics, measured from outside of it. */
final class AgentFigures {
  private static final int CHANGES = 500;
  private static final int WARM_UP = 100;
  private static final int RESTARTS = 5;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final String LATENCY = "pointsman_programming_latency_seconds";

  private static final String KEPT = "there";

  private final TestCluster cluster;
  private final Node node;

  AgentFigures(TestCluster cluster) {
    this.cluster = cluster;
    this.node = cluster.lab().nodes().getFirst();
  }

  /** Changes one endpoint again and again; prints how long it took from watch event to kernel. */
  void change(int services) {
    var service = new ChangingService(cluster);
    for (var i = 0; i < WARM_UP; i++) {
      change(service);
    }
    var before = Latency.read(this);
    for (var i = 0; i < CHANGES; i++) {
      change(service);
    }
    var after = Latency.read(this);
    var changes = after.count - before.count;
    System.out.printf(
        "BENCH one endpoint change from watch event to kernel, %d Services: %.0f changes,"
            + " mean %.2f ms, within 1 ms %.1f %%, within 5 ms %.1f %%, within 20 ms %.1f %%%n",
        services,
        changes,
        (after.sum - before.sum) / changes * 1000,
        (after.within1 - before.within1) / changes * 100,
        (after.within5 - before.within5) / changes * 100,
        (after.within20 - before.within20) / changes * 100);
  }

  /** Waits for each change to be in the kernel: those that come together would be one. */
  private void change(ChangingService service) {
    var count = metric(LATENCY + "_count");
    service.change();
    await()
        .pollInterval(Duration.ofMillis(20))
        .atMost(LIMIT)
        .until(() -> metric(LATENCY + "_count") > count);
  }

  /**
   * Kills the agent, with the kernel's state kept and, where that is pins, taken away; prints how
   * long it took to the proof.
   */
  void restart(int services, LinuxDataplane dataplane) {
    var states = dataplane == LinuxDataplane.BPF ? List.of(KEPT, "taken away") : List.of(KEPT);
    for (var state : states) {
      for (var round = 0; round < RESTARTS; round++) {
        var started = NodeProxy.AGENT.startTime(node);
        NodeProxy.AGENT.kill(node);
        if (!state.equals(KEPT)) {
          node.exec("rm", "-rf", "/sys/fs/bpf/pointsman").check();
        }
        await()
            .atMost(LIMIT)
            .ignoreExceptions()
            .until(() -> NodeProxy.AGENT.startedAfter(started, node));
        System.out.printf(
            "BENCH agent start to proven, %d Services, state %s: %.2f s%n",
            services, state, metric("pointsman_startup_seconds"));
      }
    }
  }

  private double metric(String name) {
    return NodeProxy.AGENT.metric(node, name);
  }

  private record Latency(
      double count, double sum, double within1, double within5, double within20) {
    static Latency read(AgentFigures agent) {
      return new Latency(
          agent.metric(LATENCY + "_count"),
          agent.metric(LATENCY + "_sum"),
          agent.metric(LATENCY + "_bucket{le=\"0.001\""),
          agent.metric(LATENCY + "_bucket{le=\"0.005\""),
          agent.metric(LATENCY + "_bucket{le=\"0.02\""));
    }
  }
}
