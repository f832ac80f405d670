// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.pointsman.lab.Node;
import java.time.Duration;

/** What an agent tells of itself in its metrics, measured from outside of it. */
final class AgentFigures {
  private static final int CHANGES = 500;
  private static final int WARM_UP = 100;
  private static final int RESTARTS = 5;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final String LATENCY = "pointsman_programming_latency_seconds";

  private final TestCluster cluster;
  private final Node node;

  AgentFigures(TestCluster cluster) {
    this.cluster = cluster;
    this.node = cluster.lab().nodes().getFirst();
  }

  /** Changes one endpoint again and again; prints how long it took from watch event to kernel. */
  void change(int services) {
    cluster.kubectl("delete", "service/changing", "--ignore-not-found");
    cluster.kubectl("create", "service", "clusterip", "changing", "--tcp=80");
    for (var i = 0; i < WARM_UP; i++) {
      slice(i);
    }
    var before = Latency.read(this);
    for (var i = WARM_UP; i < WARM_UP + CHANGES; i++) {
      slice(i);
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
  private void slice(int number) {
    var count = metric(LATENCY + "_count");
    write(number);
    await()
        .pollInterval(Duration.ofMillis(20))
        .atMost(LIMIT)
        .until(() -> metric(LATENCY + "_count") > count);
  }

  /** Kills the agent, with its pins kept and taken away; prints how long it took to the proof. */
  void restart(int services) {
    for (var pins : new String[] {"there", "taken away"}) {
      for (var round = 0; round < RESTARTS; round++) {
        var started = metric("process_start_time_seconds");
        kill(pins.equals("there") ? "" : "rm -rf /sys/fs/bpf/pointsman;");
        await()
            .atMost(LIMIT)
            .ignoreExceptions()
            .until(
                () ->
                    metric("process_start_time_seconds") > started
                        && metric("pointsman_startup_seconds") > 0);
        System.out.printf(
            "BENCH agent start to proven, %d Services, pins %s: %.2f s%n",
            services, pins, metric("pointsman_startup_seconds"));
      }
    }
  }

  private void kill(String then) {
    node.exec(
            "sh",
            "-c",
            "for p in $(pgrep -x java); do tr '\\0' ' ' < /proc/$p/cmdline"
                + " | grep -q ' agent *$' && kill -9 $p; done; "
                + then)
        .check();
  }

  private void write(int number) {
    cluster
        .client()
        .discovery()
        .v1()
        .endpointSlices()
        .inNamespace("default")
        .resource(
            new EndpointSliceBuilder()
                .withNewMetadata()
                .withName("changing")
                .addToLabels("kubernetes.io/service-name", "changing")
                .endMetadata()
                .withAddressType("IPv4")
                .addNewPort()
                .withName("80")
                .withPort(8080)
                .withProtocol("TCP")
                .endPort()
                .addNewEndpoint()
                .withAddresses("10.127.%d.%d".formatted(number >> 8, number & 255))
                .endEndpoint()
                .build())
        .serverSideApply();
  }

  private double metric(String name) {
    var metrics = node.exec("curl", "-sf", "http://127.0.0.1:10356/q/metrics").check().out();
    return metrics
        .lines()
        .filter(line -> line.startsWith(name) && " {}".indexOf(line.charAt(name.length())) >= 0)
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
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
