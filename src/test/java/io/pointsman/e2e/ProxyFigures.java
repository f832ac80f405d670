// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.pointsman.lab.Node;
import java.time.Duration;

/** What the process that programs a node takes for it, kube-proxy or agent, by the same measure. */
final class ProxyFigures {
  private static final int CHANGES = 60;

  /** Fewer where they take longer: in User-Mode Linux kube-proxy needs half a minute for each. */
  private static final Duration ENOUGH = Duration.ofMinutes(5);

  private static final Duration LIMIT = Duration.ofMinutes(45);

  /** As often as kube-proxy programs at most; to be asked for metrics costs each of them time. */
  private static final Duration BETWEEN = Duration.ofSeconds(1);

  private final TestCluster cluster;
  private final NodeProxy proxy;
  private final String what;
  private final Node node;

  /** Of the first node's. */
  ProxyFigures(TestCluster cluster, NodeProxy proxy, String what) {
    this.cluster = cluster;
    this.proxy = proxy;
    this.what = what;
    this.node = cluster.lab().nodes().getFirst();
  }

  /** Ends it; prints what its start took until everything was programmed. */
  void start() {
    var started = proxy.startTime(node);
    proxy.kill(node);
    await()
        .pollInterval(BETWEEN)
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(() -> proxy.startedAfter(started, node));
    var used = proxy.used(node);
    print(
        "start until all is programmed",
        "%.1f s of processors, %.0f MiB resident",
        used.cpuSeconds(),
        used.mebibytes());
  }

  /** Changes an endpoint again and again; prints what each took. */
  void change() {
    var service = new ChangingService(cluster);
    changeOnce(service);
    var before = proxy.used(node);
    var end = System.nanoTime() + ENOUGH.toNanos();
    var changes = 0;
    while (changes < CHANGES && System.nanoTime() - end < 0) {
      changeOnce(service);
      changes++;
    }
    var spent = proxy.used(node).cpuSeconds() - before.cpuSeconds();
    print(
        "one change a second", "%.1f ms of processors each of %d", spent / changes * 1000, changes);
  }

  private void changeOnce(ChangingService service) {
    var count = proxy.changes(node);
    service.change();
    await().pollInterval(BETWEEN).atMost(LIMIT).until(() -> proxy.changes(node) > count);
  }

  /** Prints what it takes on each node now. */
  void memory(String when) {
    for (var each : cluster.lab().nodes()) {
      var used = proxy.used(each);
      print(
          when + " on " + each.name(),
          "%.0f MiB resident, %.1f s of processors since its start",
          used.mebibytes(),
          used.cpuSeconds());
    }
  }

  private void print(String figure, String format, Object... values) {
    System.out.printf("BENCH %-72s %s%n", what + ", " + figure, format.formatted(values));
  }
}
