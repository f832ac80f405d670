// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceInput;
import io.pointsman.catalogue.SliceReader;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.BoundProcess;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Beside a real kube-proxy that serves the same Services. */
class KubeProxyTest {
  private static final String OBJECTS =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: default}
      spec:
        type: NodePort
        clusterIP: 10.96.0.50
        clusterIPs: [10.96.0.50, "fd00:96::50"]
        ipFamilyPolicy: RequireDualStack
        ipFamilies: [IPv4, IPv6]
        externalIPs: [203.0.113.7, "2001:db8:9::7"]
        ports:
        - {name: http, port: 80, nodePort: 30080}
        - {name: dns, port: 53, nodePort: 30053, protocol: UDP}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-4, namespace: default, labels: {kubernetes.io/service-name: web}}
      addressType: IPv4
      ports: [{name: http, port: 8080, protocol: TCP}, {name: dns, port: 5353, protocol: UDP}]
      endpoints:
      - {addresses: [10.244.0.5], conditions: {ready: true}}
      - {addresses: [10.244.0.10], conditions: {ready: true}}
      - {addresses: [10.244.2.7], conditions: {ready: true}}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-6, namespace: default, labels: {kubernetes.io/service-name: web}}
      addressType: IPv6
      ports: [{name: http, port: 8080, protocol: TCP}]
      endpoints:
      - {addresses: ["fd00:10:244::5"], conditions: {ready: true}}
      - {addresses: ["fd00:10:244:1::6"], conditions: {ready: true}}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: empty, namespace: default}
      spec:
        clusterIP: 10.96.0.51
        externalIPs: [203.0.113.8]
        ports: [{port: 53, protocol: UDP}]
      """;

  private static final Set<Address> NODE_ADDRESSES =
      Set.of(Address.parse("192.0.2.10"), Address.parse("2001:db8::10"));

  /** Counts what comes by loopback; Pointsman has no such rule. */
  private static final String KUBE_PROXYS_ONLY = "localhost_nps_accepted_pkts";

  private ApiServer server;
  private KubernetesClient client;
  private KubeProxyNode node;

  @BeforeEach
  void start() throws IOException {
    server = ApiServer.startEmpty();
    client = server.client();
    client.load(new ByteArrayInputStream(OBJECTS.getBytes(StandardCharsets.UTF_8))).create();
    KubeProxyNode.register(client, KubeProxyNode.ADDRESS_V4, KubeProxyNode.ADDRESS_V6);
    node = new KubeProxyNode(server);
  }

  @AfterEach
  void stop() throws IOException {
    node.close();
    client.close();
    server.close();
  }

  @Test
  void writesWhatKubeProxyWritesAndTakesItsChainsOverInPlace() {
    DesiredState desired = desired();
    List<String> theirs;
    try (BoundProcess kubeProxy = node.startKubeProxy()) {
      theirs = awaitServed(desired, kubeProxy);
    }
    assertThat(ours(desired)).containsExactlyInAnyOrderElementsOf(comparable(theirs));

    node.sandbox.inNamespace(
        () -> {
          try (IptablesDataplane dataplane = open()) {
            dataplane.prepare(desired);
            assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
            assertProven(dataplane, desired);
            assertThat(IptablesFixture.saved(Variant.NFT))
                .contains(":KUBE-FIREWALL -")
                .noneMatch(line -> line.startsWith(":KUBE-PROXY-CANARY"));
          }
          return true;
        });
    handBack(desired);
  }

  /** kube-proxy comes back to chains that Pointsman holds: they stay, and are its own again. */
  private void handBack(DesiredState desired) {
    assertThat(places()).as("what Pointsman serves is no kube-proxy's").isEmpty();
    try (BoundProcess kubeProxy = node.startKubeProxy()) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> saved().stream().anyMatch(line -> line.contains(KUBE_PROXYS_ONLY)));
      List<String> theirs = awaitServed(desired, kubeProxy);
      assertThat(places()).hasSize(1);
      node.sandbox.inNamespace(
          () -> {
            try (IptablesDataplane dataplane = open()) {
              assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
              assertThat(dataplane.drain().flows()).isZero();
              dataplane.remove();
              assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
            }
            return true;
          });
      assertThat(comparable(saved())).containsExactlyInAnyOrderElementsOf(comparable(theirs));
      assertThat(saved()).noneMatch(line -> line.contains("POINTSMAN"));
    }
  }

  private List<KubeProxyState> places() {
    return node.sandbox.inNamespace(() -> new KubeProxyTables(new CommandRunner()).read());
  }

  private List<String> awaitServed(DesiredState desired, BoundProcess kubeProxy) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(
            () -> {
              assertThat(kubeProxy.alive()).as(kubeProxy::output).isTrue();
              var kernel =
                  node.sandbox.inNamespace(
                      () -> IptablesDataplane.readRules(IptablesOptions.defaults()));
              assertThat(kernel.digest())
                  .as(() -> String.join("\n", saved()) + "\n" + kubeProxy.output())
                  .isEqualTo(desired.digest());
            });
    return saved();
  }

  private List<String> saved() {
    return node.sandbox.inNamespace(() -> IptablesFixture.saved(Variant.NFT));
  }

  /** What Pointsman writes into tables that were empty. */
  private static List<String> ours(DesiredState desired) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      return comparable(
          sandbox.inNamespace(
              () -> {
                try (IptablesDataplane dataplane = open()) {
                  dataplane.prepare(desired);
                  dataplane.activate();
                }
                return IptablesFixture.saved(Variant.NFT);
              }));
    }
  }

  private static IptablesDataplane open() {
    return new IptablesDataplane(
        IptablesOptions.defaults()
            .localTo(
                List.of(
                    AddressRange.parse(KubeProxyNode.RANGE_V4),
                    AddressRange.parse(KubeProxyNode.RANGE_V6))),
        new DataplaneSettings(Scheduler.RANDOM, 30_000, 32_767));
  }

  /** Without what only one of the two has: counters, kube-proxy's canary and Pointsman's state. */
  private static List<String> comparable(List<String> lines) {
    List<String> kept = new ArrayList<>(lines);
    kept.removeIf(
        line ->
            line.contains("KUBE-PROXY-CANARY")
                // The kubelet's; kube-proxy makes it for IPv6 too and leaves it empty.
                || line.contains("KUBE-FIREWALL")
                || line.contains("POINTSMAN-STATE")
                || line.contains(KUBE_PROXYS_ONLY)
                // The table mangle is there as soon as somebody has made a chain in it.
                || line.matches(":(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) .*")
                || line.matches("[*]mangle|COMMIT"));
    kept.replaceAll(line -> line.replaceAll(" -m nfacct --nfacct-name +\\S+", ""));
    return kept;
  }

  private DesiredState desired() {
    Names names = new Names();
    ServiceReader services = new ServiceReader(names);
    SliceReader slices = new SliceReader(names);
    Catalogue catalogue = Catalogue.forNode(KubeProxyNode.NAME);
    for (Service service : client.services().inAnyNamespace().list().getItems()) {
      catalogue.upsertService(services.read(service));
    }
    for (EndpointSlice slice :
        client.discovery().v1().endpointSlices().inAnyNamespace().list().getItems()) {
      SliceInput input = slices.read(slice);
      if (input != null) {
        catalogue.upsertSlice(input);
      }
    }
    List<ServicePort> ports = new ArrayList<>();
    catalogue.forEachPort(ports::add);
    DesiredState desired = RandomServices.desired(ports);
    return new DesiredState(desired.ports(), NODE_ADDRESSES, desired.digest());
  }

  private static void assertProven(IptablesDataplane dataplane, DesiredState desired) {
    var kernel = dataplane.read();
    assertThat(kernel.defects()).isEmpty();
    assertThat(kernel.digest()).isEqualTo(desired.digest());
  }
}
