// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.BoundProcess;
import io.pointsman.testing.CpuTime;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Full programming and one change of an endpoint, against a real kube-proxy with the same Services
 * in the same run, by kube-proxy's own metrics. Prints ratios; asserts only that the work was done.
 */
@Tag("bench")
class IptablesSyncBench {
  private static final int ENDPOINTS = 4;
  private static final int CHANGES = 10;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final String FULL = "kubeproxy_sync_full_proxy_rules_duration_seconds";
  private static final String PARTIAL = "kubeproxy_sync_partial_proxy_rules_duration_seconds";

  /** Milliseconds, by the clock and of processors. */
  private record Figures(double full, double change, double fullCpu, double changeCpu) {}

  /** The same of one piece of work of this process. */
  private record Spent(double millis, double cpu) {
    static Spent on(Runnable work) {
      long self = ProcessHandle.current().pid();
      double cpu = CpuTime.millis(self);
      long start = System.nanoTime();
      work.run();
      double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
      return new Spent(millis, CpuTime.millis(self) - cpu);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 1_000, 10_000, 30_000})
  void programsAndChanges(int services) throws IOException {
    Figures ours = ours(services);
    Figures theirs = theirs(services);
    out(
        "%,d Services x %d, full: %.0f ms, kube-proxy %.0f ms, ratio %.2f (goal 1)",
        services, ENDPOINTS, ours.full, theirs.full, ours.full / theirs.full);
    out(
        "%,d Services x %d, one change: %.1f ms, kube-proxy %.1f ms, ratio %.2f (goal 0.5)",
        services, ENDPOINTS, ours.change, theirs.change, ours.change / theirs.change);
    out(
        "%,d Services x %d, processor time: full %.0f ms, kube-proxy's whole start %.0f ms;"
            + " one change %.1f ms, kube-proxy %.1f ms",
        services, ENDPOINTS, ours.fullCpu, theirs.fullCpu, ours.changeCpu, theirs.changeCpu);
  }

  private static Figures ours(int services) {
    List<ServicePort> ports = new ArrayList<>();
    IntStream.range(0, services).forEach(i -> ports.add(port(i, ENDPOINTS)));
    try (KernelSandbox sandbox = new KernelSandbox()) {
      return sandbox.inNamespace(
          () -> {
            try (IptablesDataplane dataplane =
                new IptablesDataplane(
                    IptablesOptions.defaults(), IptablesFixture.settings(Scheduler.RANDOM))) {
              Spent full = Spent.on(() -> dataplane.prepare(desired(ports)));
              Spent activation = Spent.on(dataplane::activate);
              List<Spent> changes = new ArrayList<>();
              for (int i = 0; i < CHANGES; i++) {
                ServicePort after = port(i, ENDPOINTS - 1);
                Delta delta = new Delta(List.of(new Change(ports.set(i, after), after)), List.of());
                changes.add(Spent.on(() -> dataplane.apply(delta)));
              }
              Spent read =
                  Spent.on(
                      () ->
                          assertThat(dataplane.read().digest()).isEqualTo(desired(ports).digest()));
              out(
                  "%,d Services x %d: activate %.0f ms, read back %.0f ms",
                  services, ENDPOINTS, activation.millis, read.millis);
              return new Figures(
                  full.millis,
                  changes.stream().mapToDouble(Spent::millis).sorted().toArray()[CHANGES / 2],
                  full.cpu,
                  changes.stream().mapToDouble(Spent::cpu).average().orElseThrow());
            }
          });
    }
  }

  private static Figures theirs(int services) throws IOException {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      createNode(client);
      IntStream.range(0, services)
          .parallel()
          .forEach(
              i -> {
                client.resource(service(i)).create();
                client.resource(slice(i, ENDPOINTS)).create();
              });
      try (KubeProxyNode node = new KubeProxyNode(server);
          BoundProcess kubeProxy = node.startKubeProxy()) {
        Awaitility.await()
            .atMost(Duration.ofMinutes(15))
            .until(() -> kubeProxy.alive() && metric(node, FULL + "_count") > 0);
        double full = metric(node, FULL + "_sum") / metric(node, FULL + "_count");
        double fullCpu = kubeProxy.cpuMillis();
        double before = metric(node, PARTIAL + "_count");
        double spent = metric(node, PARTIAL + "_sum");
        for (int i = 0; i < CHANGES; i++) {
          double seen = metric(node, PARTIAL + "_count");
          client.resource(slice(i, ENDPOINTS - 1)).update();
          Awaitility.await()
              .atMost(Duration.ofMinutes(1))
              .until(() -> metric(node, PARTIAL + "_count") > seen);
        }
        double changes = metric(node, PARTIAL + "_count") - before;
        return new Figures(
            full * 1000,
            (metric(node, PARTIAL + "_sum") - spent) / changes * 1000,
            fullCpu,
            (kubeProxy.cpuMillis() - fullCpu) / changes);
      }
    }
  }

  private static void createNode(KubernetesClient client) {
    Node node =
        new NodeBuilder()
            .withNewMetadata()
            .withName(KubeProxyNode.NAME)
            .endMetadata()
            .withNewStatus()
            .addNewAddress("192.0.2.10", "InternalIP")
            .endStatus()
            .build();
    client.resource(node).create();
    client.resource(node).updateStatus();
  }

  /** A figure of IPv4 among kube-proxy's metrics; 0 when it is not there yet. */
  private static double metric(KubeProxyNode node, String name) {
    return node.sandbox.inNamespace(
        () -> {
          try (var in = URI.create("http://127.0.0.1:10249/metrics").toURL().openStream()) {
            return new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith(name + "{ip_family=\"IPv4\"}"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .findFirst()
                .orElse(0);
          } catch (IOException e) {
            return 0.0; // not listening yet
          }
        });
  }

  private static ServicePort port(int number, int endpoints) {
    return new ServicePort(
        new ServicePortId("default", "service-" + number, "", Protocol.TCP, IpFamily.IPV4),
        List.of(
            Samples.frontend(vip(number).toString(), 80, Protocol.TCP, FrontendKind.CLUSTER_IP)),
        IntStream.range(0, endpoints)
            .mapToObj(i -> new Backend(backend(number, i), 8080, false))
            .toList());
  }

  private static Address vip(int number) {
    return Address.ofV4(0x0a60_0100 + number);
  }

  private static Address backend(int number, int endpoint) {
    return Address.ofV4(0x0af4_0000 + number * ENDPOINTS + endpoint);
  }

  private static Service service(int number) {
    return new ServiceBuilder()
        .withNewMetadata()
        .withName("service-" + number)
        .withNamespace("default")
        .endMetadata()
        .withNewSpec()
        .withClusterIP(vip(number).toString())
        .addNewPort()
        .withPort(80)
        .endPort()
        .endSpec()
        .build();
  }

  private static EndpointSlice slice(int number, int endpoints) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("service-" + number)
        .withNamespace("default")
        .addToLabels("kubernetes.io/service-name", "service-" + number)
        .endMetadata()
        .withAddressType("IPv4")
        .addNewPort()
        .withName("")
        .withPort(8080)
        .withProtocol("TCP")
        .endPort()
        .withEndpoints(
            IntStream.range(0, endpoints)
                .mapToObj(
                    i ->
                        new EndpointBuilder()
                            .withAddresses(backend(number, i).toString())
                            .withNewConditions()
                            .withReady(true)
                            .endConditions()
                            .build())
                .toList())
        .build();
  }

  @SuppressWarnings("SystemOut") // what a benchmark is for
  private static void out(String format, Object... arguments) {
    System.out.println("BENCH " + String.format(Locale.ROOT, format, arguments));
  }
}
