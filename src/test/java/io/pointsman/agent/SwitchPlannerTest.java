// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.FlowCounts;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.Objects;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceReader;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.dataplane.iptables.KubeProxyNode;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.testing.ApiServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A plan on a node that a real kube-proxy serves, and then on one that Pointsman serves. */
class SwitchPlannerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String VIP = "10.96.0.50";
  private static final int PORT = 8080;

  private static ApiServer server;
  private static KubernetesClient client;
  private KubeProxyNode node;
  private String last = "";

  @BeforeAll
  static void cluster() {
    server = ApiServer.startEmpty();
    client = server.client();
    client.resource(Objects.service("web", VIP)).create();
    client.resource(Objects.slice("web", "web", Objects.ready("192.0.2.10"))).create();
    client.resource(Objects.service("empty", "10.96.0.51")).create();
    KubeProxyNode.register(client, KubeProxyNode.ADDRESS_V4, KubeProxyNode.ADDRESS_V6);
  }

  @AfterAll
  static void end() {
    client.close();
    server.close();
  }

  @BeforeEach
  void start() throws IOException {
    node = new KubeProxyNode(server);
  }

  @AfterEach
  void stop() throws IOException {
    node.close();
  }

  @ParameterizedTest
  @CsvSource({
    "iptables, BPF, true",
    "iptables, IPTABLES, false",
    "nftables, BPF, true",
    "nftables, IPTABLES, true"
  })
  void aPlanChangesNothing(String mode, LinuxDataplane to, boolean removes) {
    boolean done =
        node.sandbox.inNamespace(
            () -> {
              try (ServerSocket listener =
                      new ServerSocket(PORT, 5, InetAddress.getByName("192.0.2.10"));
                  Socket flow = connect(mode)) {
                String before = dump();
                SwitchPlan plan = plan(to, true);
                assertThat(dump()).isEqualTo(before);

                assertThat(listener.isBound() && flow.isConnected()).isTrue();
                assertThat(plan.entriesToWrite).isPositive();
                assertThat(plan.memoryBytes).isPositive();
                assertThat(java.util.Objects.requireNonNull(plan.entriesToRemove) > 10)
                    .isEqualTo(removes);
                assertThat(java.util.Objects.requireNonNull(plan.flowsAtRisk).conntrack).isOne();
                assertThat(plan.flowsAtRisk.ct).isZero();
                assertThat(plan.steps)
                    .hasSizeBetween(5, 32)
                    .anyMatch(step -> step.contains("kube-proxy has left"))
                    .allMatch(step -> step.length() <= 256);
              }
              return true;
            });
    assertThat(done).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"BPF, IPTABLES", "IPTABLES, BPF"})
  void aPlanOnPointsmansOwnChangesNothing(LinuxDataplane from, LinuxDataplane to) {
    boolean done =
        node.sandbox.inNamespace(
            () -> {
              try (Dataplane serving = open(from);
                  ServerSocket listener =
                      new ServerSocket(PORT, 5, InetAddress.getByName("192.0.2.10"));
                  Socket flow = new Socket()) {
                serving.prepare(desired());
                serving.activate();
                long through = from == LinuxDataplane.IPTABLES ? connect(flow, listener) : 0;
                long held = serving.holdings().entries();
                String before = dump();
                SwitchPlan plan = plan(to, false);
                assertThat(dump()).isEqualTo(before);
                assertThat(plan.entriesToRemove).isEqualTo(held).isPositive();
                FlowCounts flows = java.util.Objects.requireNonNull(plan.flowsAtRisk);
                assertThat(flows.conntrack).isEqualTo(through);
                assertThat(flows.ct).isZero();
                assertThat(plan.steps)
                    .anyMatch(step -> step.contains("stay with " + SwitchSteps.name(from)))
                    .anyMatch(step -> step.contains("up to 7 seconds"));
                serving.remove();
              }
              return true;
            });
    assertThat(done).isTrue();
  }

  /** Makes a flow through the Service; how many it is. */
  private static long connect(Socket flow, ServerSocket listener) throws IOException {
    flow.connect(new InetSocketAddress(VIP, 80), 500);
    return listener.isBound() && flow.isConnected() ? 1 : 0;
  }

  private SwitchPlan plan(LinuxDataplane to, boolean attached) {
    LinuxDataplane other = to == LinuxDataplane.BPF ? LinuxDataplane.IPTABLES : LinuxDataplane.BPF;
    try (Dataplane target = open(to);
        Dataplane beside = open(other)) {
      return new SwitchPlanner(new CommandRunner())
          .plan(
              new SwitchQuestion(to, desired(), attached, 7, null),
              target,
              Map.of(other, beside),
              null);
    }
  }

  private Dataplane open(LinuxDataplane kind) {
    return switch (kind) {
      case BPF ->
          new BpfDataplane(
              BpfOptions.defaults()
                  .pinnedUnder(node.sandbox.bpffs().resolve("pointsman"))
                  .on(node.sandbox.cgroup()),
              DataplaneSettings.DEFAULTS);
      case IPTABLES ->
          new IptablesDataplane(IptablesOptions.defaults(), DataplaneSettings.DEFAULTS);
      case IPVS, NFTABLES -> throw new IllegalArgumentException("not here: " + kind);
    };
  }

  /** A connection through kube-proxy's rules, once they are there. */
  private Socket connect(String mode) {
    node.startKubeProxy(mode);
    Socket[] flow = new Socket[1];
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              Socket socket = node.sandbox.inNamespace(SwitchPlannerTest::attempt);
              flow[0] = socket;
              return true;
            });
    // It writes on for a while when it starts.
    await()
        .pollInterval(Duration.ofSeconds(1))
        .atMost(PATIENCE)
        .until(
            () -> {
              String now = dump();
              boolean same = now.equals(last);
              last = now;
              return same;
            });
    return flow[0];
  }

  private static Socket attempt() throws IOException {
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(VIP, 80), 500);
    return socket;
  }

  /** All that a switch could change. */
  private String dump() {
    CommandRunner commands =
        new CommandRunner(List.of("ip", "netns", "exec", node.sandbox.namespace()));
    List<String> lines = new ArrayList<>();
    for (String[] command :
        new String[][] {
          {"iptables-nft-save"},
          {"ip6tables-nft-save"},
          {"iptables-legacy-save"},
          {"ip6tables-legacy-save"},
          {"nft", "-a", "list", "ruleset"},
          {"ip", "-d", "link"},
          {"ip", "addr"},
          {"tc", "filter", "show", "dev", "eth0", "ingress"},
          {"sysctl", "net.ipv4.conf.all", "net.ipv4.ip_forward"},
          {"find", node.sandbox.bpffs().toString()},
        }) {
      if (commands.has(command[0])) {
        lines.addAll(commands.lines(command));
      }
    }
    CommandRunner host = new CommandRunner();
    if (host.has("bpftool")) {
      lines.addAll(host.lines("bpftool", "cgroup", "show", node.sandbox.cgroup().toString()));
    }
    lines.removeIf(line -> line.startsWith("#"));
    lines.replaceAll(line -> line.replaceAll("\\[\\d+:\\d+]|packets \\d+ bytes \\d+", ""));
    lines.replaceAll(line -> line.replaceAll("(valid|preferred)_lft \\S+| tentative", ""));
    return String.join("\n", lines);
  }

  private static DesiredState desired() {
    Names names = new Names();
    ServiceReader services = new ServiceReader(names);
    SliceReader slices = new SliceReader(names);
    Catalogue catalogue = Catalogue.forNode(KubeProxyNode.NAME);
    for (Service each : client.services().inAnyNamespace().list().getItems()) {
      catalogue.upsertService(services.read(each));
    }
    for (EndpointSlice each :
        client.discovery().v1().endpointSlices().inAnyNamespace().list().getItems()) {
      catalogue.upsertSlice(java.util.Objects.requireNonNull(slices.read(each)));
    }
    List<ServicePort> ports = new ArrayList<>();
    catalogue.forEachPort(ports::add);
    return RandomServices.desired(ports);
  }
}
