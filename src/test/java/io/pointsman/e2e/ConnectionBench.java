// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.Client;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.Bench;
import io.pointsman.testing.uml.Mappings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * New connections per second through Services against straight to the pod, by a real kube-proxy and
 * by Pointsman, and the memory and processor time of both, in one lab. Prints figures and asserts
 * none.
 */
@Tag("bench")
@Timeout(value = 150, unit = TimeUnit.MINUTES)
class ConnectionBench {
  private static final int ROUNDS = 7;
  private static final int FEW = 10;
  private static final int MANY = 10_000;

  /** More than a cluster at rest has. */
  private static final int FLOWS = 2_000;

  private static final Duration FORGOTTEN = Duration.ofMinutes(5);

  /** kube-proxy takes minutes to write the rules of many. */
  private static final Duration STEP = Duration.ofMinutes(20);

  /** What of a process is measured in the time that there is. */
  private enum Extent {
    ALL,
    /** kube-proxy replaces iptables' rules in one transaction of nf_tables. */
    WITHOUT_START,
    /** kube-proxy has not programmed many virtual servers in User-Mode Linux after an hour. */
    WITHOUT_SYNC
  }

  static Stream<Arguments> modesAndSizes() {
    return Stream.of(KubeProxyMode.IPTABLES, KubeProxyMode.NFTABLES)
        .flatMap(mode -> sizes().mapToObj(services -> Arguments.of(mode, services)));
  }

  /** Making the many takes the API server some minutes. */
  static IntStream sizes() {
    return Bench.sizes(FEW, MANY);
  }

  @ParameterizedTest
  @MethodSource("modesAndSizes")
  void bpf(KubeProxyMode mode, int services) {
    measure(twoNodes(mode), Pace.FULL, LinuxDataplane.BPF, services);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void iptables(int services) {
    var options = twoNodes(KubeProxyMode.IPTABLES);
    measure(options, Pace.FULL, LinuxDataplane.IPTABLES, services);
  }

  @TestFactory
  List<DynamicTest> ipvs() {
    Mappings.raise();
    var machine = InnerLab.userModeLinux(Duration.ofHours(1));
    return InnerLab.run(machine, Duration.ofMinutes(140), IpvsConnectionInside.class);
  }

  private static LabOptions twoNodes(KubeProxyMode mode) {
    return LabOptions.named("bench").withNodes(2).withKubeProxyMode(mode);
  }

  static void measure(LabOptions options, Pace pace, LinuxDataplane dataplane, int services) {
    var mode = options.kubeProxyMode();
    try (var cluster = TestCluster.inLab(options)) {
      cluster.install(pace.arguments());
      WebLoad.deploy(cluster, pace);
      separate(cluster.lab().client());
      var made = services > FEW ? services : 0;
      var many = ManyServices.create(cluster, made, addresses(cluster));
      var extent =
          switch (mode) {
            case IPTABLES -> made > 0 ? Extent.WITHOUT_START : Extent.ALL;
            case IPVS -> made >= MANY ? Extent.WITHOUT_SYNC : Extent.ALL;
            case NFTABLES -> Extent.ALL;
          };
      measure(
          cluster,
          many,
          NodeProxy.of(mode),
          extent,
          "kube-proxy %s, %d Services".formatted(mode.configuration(), services));
      var walk = extent == Extent.WITHOUT_SYNC ? afterKubeProxy(cluster) : new Walk(cluster, STEP);
      walk.apply(dataplane);
      walk.await(dataplane);
      var name = "Pointsman " + Walk.name(dataplane);
      var what = "%s, %d Services".formatted(name, services);
      measure(cluster, many, NodeProxy.AGENT, Extent.ALL, what);
      if (pace.equals(Pace.FULL)) {
        // Elsewhere the questions for these figures take more than the agent does.
        var agent = new AgentFigures(cluster);
        agent.change(services);
        agent.restart(services, dataplane);
        if (extent == Extent.ALL) {
          walk.goBack();
        }
      }
    }
  }

  /** Once kube-proxy is gone: a node whose kube-proxy is behind is not switched. */
  private static Walk afterKubeProxy(TestCluster cluster) {
    cluster.kubectl("-n", "kube-system", "delete", "daemonset/kube-proxy", "--cascade=foreground");
    return Walk.withoutKubeProxy(cluster, STEP);
  }

  private static void measure(
      TestCluster cluster, ManyServices many, NodeProxy proxy, Extent extent, String what) {
    var figures = new ProxyFigures(cluster, proxy, what);
    figures.memory("as it was");
    switch (extent) {
      case ALL -> {
        figures.start();
        figures.change();
      }
      case WITHOUT_START -> {
        notMeasured(what + ", start");
        figures.change();
      }
      case WITHOUT_SYNC -> notMeasured(what + ", start and change");
    }
    connections(cluster, what);
    connectionsAtEnds(cluster, many, what);
    figures.memory("after load");
  }

  private static void notMeasured(String figure) {
    System.out.printf("BENCH %-72s not measured, it takes too long%n", figure);
  }

  private static void connections(TestCluster cluster, String what) {
    var web = cluster.client().services().inNamespace("default").withName("web").require();
    var clusterIp = "http://%s/hostname".formatted(web.getSpec().getClusterIP());
    var nodePort =
        "http://%s:30080/hostname".formatted(cluster.lab().nodes().getFirst().address4());
    var direct = direct(cluster);
    forget(cluster);
    compare(
        what + ", pod -> ClusterIP",
        () -> clusterIp,
        service -> cluster.inPod(load("/traffic", direct, service)));
    compare(
        what + ", outside -> node port",
        () -> nodePort,
        service -> cluster.lab().client().command(load("traffic", direct, service)));
  }

  /** Where Services are found by going through rules: by the first of them and by the last. */
  private static void connectionsAtEnds(TestCluster cluster, ManyServices many, String what) {
    var pod = cluster.client().pods().inNamespace("default").withName("traffic").require();
    var node = pod.getSpec().getNodeName();
    var direct = direct(cluster);
    for (var end : ManyServices.End.values()) {
      if (many.at(end, node).isEmpty()) {
        continue;
      }
      forget(cluster);
      var asked = new ArrayList<ManyServices.Place>();
      compare(
          what + ", pod -> ClusterIP, " + end + " rule",
          () -> {
            asked.add(many.at(end, node).orElseThrow());
            return "http://%s/hostname".formatted(asked.getLast().address());
          },
          service -> cluster.inPod(load("/traffic", direct, service)));
      System.out.printf(
          "BENCH %-72s %s%n",
          what + ", " + end + " rule",
          asked.stream()
              .map(place -> place.rule() + " of " + place.rules())
              .collect(Collectors.joining(", ")));
    }
  }

  /**
   * Waits until connections of the load before are forgotten: a port that one to a pod had is
   * refused by that pod for a second when the next has it through another Service's address.
   */
  private static void forget(TestCluster cluster) {
    var count = "/proc/sys/net/netfilter/nf_conntrack_count";
    for (var node : cluster.lab().nodes()) {
      await()
          .pollInterval(Duration.ofSeconds(1))
          .atMost(FORGOTTEN)
          .until(() -> Integer.parseInt(node.exec("cat", count).check().out().strip()) < FLOWS);
    }
  }

  /** To all pods in turn, as a Service does: those of the other node cost more. */
  private static List<String> direct(TestCluster cluster) {
    return addresses(cluster).stream().map("http://%s:8080/hostname"::formatted).toList();
  }

  private static List<String> addresses(TestCluster cluster) {
    var pods = cluster.client().pods().inNamespace("default");
    return pods.withLabel("app", "web").list().getItems().stream()
        .map(pod -> pod.getStatus().getPodIP())
        .toList();
  }

  /**
   * One program asks both in turn, so that each finds the same machine. It has as many connections
   * at a time whomever it asks, so that their number per second goes with the inverse of a
   * connection's time.
   */
  private static void compare(
      String what, Supplier<String> services, Function<String, List<String>> load) {
    var ratios = new ArrayList<Double>();
    var rates = new ArrayList<Double>();
    for (var round = 0; round < ROUNDS; round++) {
      var service = services.get();
      try (var traffic = Traffic.start(what, load.apply(service))) {
        var phase = traffic.join().getFirst();
        var means = new TreeMap<>(phase.means());
        var through = Objects.requireNonNull(means.remove(service), "the Service did not answer");
        var direct = means.values().stream().mapToDouble(mean -> mean).average().orElseThrow();
        ratios.add(direct / through);
        rates.add(phase.perSecond());
      }
    }
    Collections.sort(ratios);
    Collections.sort(rates);
    System.out.printf(
        "BENCH %-72s %.2f of direct (min %.2f max %.2f), both together %.0f new connections/s%n",
        what, ratios.get(ROUNDS / 2), ratios.getFirst(), ratios.getLast(), rates.get(ROUNDS / 2));
  }

  /**
   * Direct connections come from an address of their own: a pod that has just closed a connection
   * through a node port of its own node, which keeps the client's address, would doubt the numbers
   * of one from the same address and port.
   */
  private static void separate(Client client) {
    client
        .exec(
            "sh",
            "-c",
            "ip addr add 10.89.0.250/24 dev eth0; ip -4 route | grep ' via ' | while read route;"
                + " do ip route replace $route src 10.89.0.250; done;"
                + " sysctl -q -w net.ipv4.ip_local_port_range='10000 60999'")
        .check();
  }

  private static String[] load(String program, List<String> direct, String service) {
    var targets = direct.stream().map(one -> one + "," + service).collect(Collectors.joining(","));
    return new String[] {
      program, "http", "--concurrency=8", "--duration=5s", "--targets=" + targets
    };
  }
}
