// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.pointsman.lab.Client;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import io.pointsman.lab.Node;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * New connections per second through Services against straight to the pod, by a real kube-proxy and
 * by Pointsman, and the memory of both, in one lab. Prints figures and asserts none.
 */
@Tag("bench")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class ConnectionBench {
  private static final int ROUNDS = 7;
  private static final int FEW = 10;
  private static final int MANY = 10_000;

  @ParameterizedTest
  @EnumSource(
      value = KubeProxyMode.class,
      names = {"IPTABLES", "NFTABLES"})
  void withFewServices(KubeProxyMode mode) {
    measure(mode, FEW);
  }

  /** Making the Services takes the API server some minutes. */
  @ParameterizedTest
  @EnumSource(
      value = KubeProxyMode.class,
      names = {"IPTABLES", "NFTABLES"})
  void withManyServices(KubeProxyMode mode) {
    measure(mode, MANY);
  }

  private static void measure(KubeProxyMode mode, int services) {
    var options = LabOptions.named("bench").withNodes(2).withKubeProxyMode(mode);
    try (var cluster = TestCluster.inLab(options)) {
      cluster.install();
      WebLoad.deploy(cluster);
      separate(cluster.lab().client());
      if (services > FEW) {
        fill(cluster, services);
      }
      measure(cluster, "kube-proxy " + mode.configuration(), services);
      var walk = new Walk(cluster);
      walk.apply();
      walk.awaitBpf();
      measure(cluster, "Pointsman BPF", services);
      var agent = new AgentFigures(cluster);
      agent.change(services);
      agent.restart(services);
      walk.goBack();
    }
  }

  private static void measure(TestCluster cluster, String what, int services) {
    memory(cluster, what + ", " + services + " Services");
    connections(cluster, what, services);
    memory(cluster, what + ", " + services + " Services, after load");
  }

  /** Services with ten endpoints each that lead nowhere: they are there to be in the way. */
  private static void fill(TestCluster cluster, int services) {
    cluster.kubectl("create", "namespace", "fill");
    var limit = new Semaphore(16);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var i = 0; i < services; i++) {
        var number = i;
        limit.acquireUninterruptibly();
        threads.execute(
            () -> {
              try {
                create(cluster, number);
              } finally {
                limit.release();
              }
            });
      }
    }
  }

  private static void create(TestCluster cluster, int number) {
    var name = "fill-" + number;
    cluster
        .client()
        .services()
        .inNamespace("fill")
        .resource(
            new ServiceBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .addNewPort()
                .withPort(80)
                .endPort()
                .endSpec()
                .build())
        .create();
    var slice =
        new EndpointSliceBuilder()
            .withNewMetadata()
            .withName(name)
            .addToLabels("kubernetes.io/service-name", name)
            .endMetadata()
            .withAddressType("IPv4")
            .addNewPort()
            .withPort(8080)
            .withProtocol("TCP")
            .endPort();
    for (var endpoint = 0; endpoint < 10; endpoint++) {
      var address = "10.%d.%d.%d".formatted(128 + endpoint, number >> 8, number & 255);
      slice = slice.addNewEndpoint().addToAddresses(address).endEndpoint();
    }
    cluster
        .client()
        .resources(io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice.class)
        .inNamespace("fill")
        .resource(slice.build())
        .create();
  }

  private static void connections(TestCluster cluster, String what, int services) {
    // To all pods in turn, as a Service does: those of the other node cost more.
    var direct =
        pods(cluster, "app=web")
            .map(pod -> "http://%s:8080/hostname".formatted(pod.getStatus().getPodIP()))
            .toList();
    var web = cluster.client().services().inNamespace("default").withName("web").require();
    var clusterIp = "http://%s/hostname".formatted(web.getSpec().getClusterIP());
    var nodePort =
        "http://%s:30080/hostname".formatted(cluster.lab().nodes().getFirst().address4());
    compare(
        what + ", " + services + " Services, pod -> ClusterIP",
        cluster.inPod(load("/traffic", direct, clusterIp)),
        clusterIp);
    compare(
        what + ", " + services + " Services, outside -> node port",
        cluster.lab().client().command(load("traffic", direct, nodePort)),
        nodePort);
  }

  /**
   * One program asks both in turn, so that each finds the same machine. It has as many connections
   * at a time whomever it asks, so that their number per second goes with the inverse of a
   * connection's time.
   */
  private static void compare(String what, List<String> command, String service) {
    var ratios = new ArrayList<Double>();
    var rates = new ArrayList<Double>();
    for (var round = 0; round < ROUNDS; round++) {
      try (var traffic = Traffic.start(what, command)) {
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
        "BENCH %-60s %.2f of direct (min %.2f max %.2f), both together %.0f new connections/s%n",
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

  private static Stream<Pod> pods(TestCluster cluster, String label) {
    var parts = label.split("=", 2);
    return cluster
        .client()
        .pods()
        .inNamespace("default")
        .withLabel(parts[0], parts[1])
        .list()
        .getItems()
        .stream();
  }

  private static void memory(TestCluster cluster, String what) {
    for (var node : cluster.lab().nodes()) {
      System.out.printf("BENCH %-60s %s%n", what + ", resident on " + node.name(), resident(node));
    }
  }

  private static String resident(Node node) {
    var script =
        "for p in /proc/[0-9]*; do c=$(tr '\\0' ' ' < $p/cmdline 2>/dev/null);"
            + " case \"$c\" in *' agent '|*kube-proxy*--config*)"
            + " awk '/VmRSS/ {printf \"%.0f MiB \", $2/1024}' $p/status;; esac; done";
    return node.exec("sh", "-c", script).check().out();
  }
}
