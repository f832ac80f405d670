// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.nftables.KubeProxyTable;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.BoundProcess;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A real kube-proxy comes to a node that Iptables serves, while connections are opened. */
@Execution(ExecutionMode.CONCURRENT)
class KubeProxyStartTest {
  private static final String VIP_4 = "10.96.0.80";
  private static final String VIP_6 = "fd00:96::80";
  private static final String NODE_4 = "198.51.100.1";
  private static final String NODE_6 = "2001:db8:5::1";
  private static final int NODE_PORT = 30_080;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final String OBJECTS =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: default}
      spec:
        type: NodePort
        clusterIP: 10.96.0.80
        clusterIPs: [10.96.0.80, "fd00:96::80"]
        ipFamilyPolicy: RequireDualStack
        ipFamilies: [IPv4, IPv6]
        ports:
        - {name: tcp, port: 80, targetPort: 8080, nodePort: 30080}
        - {name: udp, port: 80, targetPort: 8080, nodePort: 30080, protocol: UDP}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-4, namespace: default, labels: {kubernetes.io/service-name: web}}
      addressType: IPv4
      ports: [{name: tcp, port: 8080, protocol: TCP}, {name: udp, port: 8080, protocol: UDP}]
      endpoints:
      - {addresses: [10.244.0.5], conditions: {ready: true}}
      - {addresses: [10.244.1.5], conditions: {ready: true}}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-6, namespace: default, labels: {kubernetes.io/service-name: web}}
      addressType: IPv6
      ports: [{name: tcp, port: 8080, protocol: TCP}, {name: udp, port: 8080, protocol: UDP}]
      endpoints:
      - {addresses: ["fd00:244::5"], conditions: {ready: true}}
      - {addresses: ["fd00:244:1::5"], conditions: {ready: true}}
      """;

  private final PodNetwork network = new PodNetwork();
  private final AtomicBoolean asking = new AtomicBoolean(true);
  private final AtomicInteger answers = new AtomicInteger();
  private final List<String> failures = new ArrayList<>();
  private final List<Thread> clients = new ArrayList<>();
  private ApiServer server;
  private KubernetesClient client;
  private KubeProxyNode node;

  @BeforeEach
  void start() throws IOException {
    server = ApiServer.startEmpty();
    client = server.client();
    client.load(new ByteArrayInputStream(OBJECTS.getBytes(StandardCharsets.UTF_8))).create();
    KubeProxyNode.register(client, NODE_4, NODE_6);
    node = new KubeProxyNode(server, network.node);
  }

  @AfterEach
  void stop() throws Exception {
    asking.set(false);
    for (Thread each : clients) {
      each.join();
    }
    node.close();
    client.close();
    server.close();
    network.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nftables", "iptables"})
  void noConnectionFailsWhileItStarts(String mode) throws Exception {
    IptablesDataplane dataplane = open(IptablesOptions.defaults());
    Socket before = network.connect(network.client, VIP_4, 80);
    String pod = PodNetwork.ask(before);
    for (String address : List.of(VIP_4, VIP_6)) {
      ask("tcp " + address, () -> network.ask(network.client, address, 80));
      ask("udp " + address, () -> network.askByDatagram(network.client, address, 80));
    }
    for (String address : List.of(NODE_4, NODE_6)) {
      ask("node port " + address, () -> network.ask(network.client, address, NODE_PORT));
    }
    IptablesDataplane standIn = open(IptablesOptions.defaults().standingIn());
    awaitAnswers(100);

    try (BoundProcess kubeProxy = node.startKubeProxy(mode)) {
      awaitServed(mode, kubeProxy);
      leave(dataplane);
      leave(standIn);
      awaitAnswers(100);
      asking.set(false);
      for (Thread each : clients) {
        each.join();
      }
      assertThat(failures).isEmpty();
      assertThat(PodNetwork.ask(before)).isEqualTo(pod);
      assertThat(saved())
          .noneMatch(line -> line.contains("POINTSMAN") || line.contains(StandInView.PREFIX));
    }
  }

  private void awaitAnswers(int more) {
    int until = answers.get() + more;
    Awaitility.await().atMost(PATIENCE).until(() -> answers.get() >= until);
  }

  private interface Question {
    String ask() throws Exception;
  }

  /** Asks again and again by a new flow. */
  private void ask(String name, Question question) {
    clients.add(
        Thread.ofPlatform()
            .start(
                () -> {
                  while (asking.get()) {
                    String answer = answer(question);
                    answers.incrementAndGet();
                    if (!answer.startsWith("pod ")) {
                      synchronized (failures) {
                        failures.add(name + ": " + answer);
                      }
                    }
                  }
                }));
  }

  private static String answer(Question question) {
    try {
      return question.ask();
    } catch (Exception e) {
      return String.valueOf(e.getCause() == null ? e : e.getCause());
    }
  }

  private IptablesDataplane open(IptablesOptions options) {
    IptablesDataplane dataplane =
        new IptablesDataplane(options, IptablesFixture.settings(Scheduler.RANDOM));
    return network.node.inNamespace(
        () -> {
          dataplane.prepare(desired());
          dataplane.activate();
          return dataplane;
        });
  }

  private void leave(IptablesDataplane dataplane) {
    network.node.inNamespace(
        () -> {
          dataplane.drain();
          dataplane.remove();
          return true;
        });
  }

  /** Waits until it serves, in that mode, by what it has written since it started. */
  private void awaitServed(String mode, BoundProcess kubeProxy) {
    Awaitility.await()
        .atMost(PATIENCE)
        .until(
            () -> {
              assertThat(kubeProxy.alive()).as(kubeProxy::output).isTrue();
              return network.node.inNamespace(() -> servedBy(mode));
            });
    assertThat(saved().stream().anyMatch(line -> line.startsWith(":KUBE-SERVICES")))
        .as("what it has deleted")
        .isEqualTo(mode.equals("iptables"));
  }

  /** Two families, a cluster IP and a node port each, over TCP and UDP. */
  private static boolean servedBy(String mode) {
    var source =
        mode.equals("nftables")
            ? new KubeProxyTable(new CommandRunner())
            : new KubeProxyTables(new CommandRunner());
    return source.read().stream()
            .flatMap(state -> state.frontends().stream())
            .filter(frontend -> frontend.service().startsWith("default/web"))
            .filter(frontend -> !frontend.outside().isEmpty())
            .count()
        >= 8;
  }

  private List<String> saved() {
    return network.node.inNamespace(() -> IptablesFixture.saved(Variant.NFT));
  }

  private static DesiredState desired() {
    List<ServicePort> ports = new ArrayList<>();
    for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
      for (IpFamily family : IpFamily.values()) {
        boolean v4 = family == IpFamily.IPV4;
        String name = protocol.name().toLowerCase(Locale.ROOT);
        ports.add(
            Samples.port(
                new ServicePortId("default", "web", name, protocol, family),
                List.of(
                    Samples.frontend(v4 ? VIP_4 : VIP_6, 80, protocol, FrontendKind.CLUSTER_IP),
                    Samples.frontend(
                        v4 ? "0.0.0.0" : "::", NODE_PORT, protocol, FrontendKind.NODE_PORT)),
                (v4 ? PodNetwork.podV4(0) : PodNetwork.podV6(0)) + " " + PodNetwork.PORT,
                (v4 ? PodNetwork.podV4(1) : PodNetwork.podV6(1)) + " " + PodNetwork.PORT));
      }
    }
    DesiredState desired = RandomServices.desired(ports);
    Set<Address> node = Set.of(Address.parse(NODE_4), Address.parse(NODE_6));
    return new DesiredState(desired.ports(), node, desired.digest());
  }
}
