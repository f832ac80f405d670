// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.Node;
import java.util.List;
import java.util.stream.Stream;

/** The process that programs a node, seen from outside of it. */
enum NodeProxy {
  KUBE_PROXY(
      "kube-proxy",
      " --config=",
      "http://127.0.0.1:10249/metrics",
      "kubeproxy_sync_partial_proxy_rules_duration_seconds_count") {
    /** Once for each family. */
    @Override
    boolean started(Node node) {
      return metric(node, "kubeproxy_sync_full_proxy_rules_duration_seconds_count") >= 2;
    }
  },
  /** In its ipvs mode, which compares everything at each change. */
  KUBE_PROXY_IPVS(
      "kube-proxy",
      " --config=",
      "http://127.0.0.1:10249/metrics",
      "kubeproxy_sync_proxy_rules_duration_seconds_count") {
    /** Once for each family. */
    @Override
    boolean started(Node node) {
      return changes(node) >= 2;
    }
  },
  AGENT(
      "java",
      " agent *$",
      "http://127.0.0.1:10356/q/metrics",
      "pointsman_programming_latency_seconds_count") {
    @Override
    boolean started(Node node) {
      return metric(node, "pointsman_startup_seconds") > 0;
    }
  };

  private static final double KIBIBYTES = 1024;

  /** USER_HZ is 100 on every architecture that Pointsman is built for. */
  private static final double TICKS = 100;

  private final String program;
  private final String arguments;
  private final String metrics;
  private final String changes;

  NodeProxy(String program, String arguments, String metrics, String changes) {
    this.program = program;
    this.arguments = arguments;
    this.metrics = metrics;
    this.changes = changes;
  }

  /**
   * What it has used.
   *
   * @param mebibytes resident now
   * @param cpuSeconds since it started, with what it has run
   */
  record Used(double mebibytes, double cpuSeconds) {}

  /** The kube-proxy of a mode. */
  static NodeProxy of(KubeProxyMode mode) {
    return switch (mode) {
      case IPTABLES, NFTABLES -> KUBE_PROXY;
      case IPVS -> KUBE_PROXY_IPVS;
    };
  }

  /** Whether it has programmed the node since it started. */
  abstract boolean started(Node node);

  /** When it started, in seconds since 1970. */
  double startTime(Node node) {
    return metric(node, "process_start_time_seconds");
  }

  /** Whether one that started after that time has programmed the node. */
  boolean startedAfter(double time, Node node) {
    return startTime(node) > time && started(node);
  }

  /** How many changes it has programmed since it started. */
  double changes(Node node) {
    return metric(node, changes);
  }

  /** A figure of its metrics, over all labels that a name without them leaves open. */
  double metric(Node node, String name) {
    return node.exec("curl", "-sf", metrics)
        .check()
        .out()
        .lines()
        .filter(line -> line.startsWith(name) && " {}".indexOf(line.charAt(name.length())) >= 0)
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** What it has used on a node; nothing when it is not there. */
  Used used(Node node) {
    var resident = "awk '/VmRSS/ {print $2}' /proc/$p/status";
    var ticks = "sed 's/.*) //' /proc/$p/stat | cut -d' ' -f12-15";
    var all =
        Stream.of(onEach(node, resident + "; " + ticks).split("\\s+"))
            .filter(word -> !word.isEmpty())
            .map(Double::valueOf)
            .toList();
    return all.isEmpty() ? new Used(0, 0) : used(all);
  }

  private static Used used(List<Double> figures) {
    var ticks = figures.stream().skip(1).mapToDouble(Double::doubleValue).sum();
    return new Used(figures.getFirst() / KIBIBYTES, ticks / TICKS);
  }

  /** Ends it on a node as a crash would; the kubelet starts it again. */
  void kill(Node node) {
    onEach(node, "kill -9 $p");
  }

  /** Has it stand still on a node until this is closed. */
  Obstacle.Way hang(Node node) {
    onEach(node, "kill -STOP $p");
    return () -> onEach(node, "kill -CONT $p");
  }

  private String onEach(Node node, String command) {
    var script =
        "for p in $(pgrep -x %s); do if tr '\\0' ' ' < /proc/$p/cmdline | grep -q -e '%s'; then %s; fi; done"
            .formatted(program, arguments, command);
    return node.exec("sh", "-c", script).check().out();
  }
}
