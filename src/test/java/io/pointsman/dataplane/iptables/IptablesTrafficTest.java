// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.iptables.Samples.frontend;
import static io.pointsman.dataplane.iptables.Samples.port;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramSocket;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Real connections through real rules. */
@Execution(ExecutionMode.CONCURRENT)
class IptablesTrafficTest {
  private static final String VIP_4 = "10.96.0.80";
  private static final String VIP_6 = "fd00:96::80";
  private static final String EMPTY_4 = "10.96.0.81";
  private static final String EMPTY_6 = "fd00:96::81";
  private static final int NODE_PORT = 30_080;
  private static final String NODE_4 = "198.51.100.1";
  private static final String NODE_6 = "2001:db8:5::1";

  private final PodNetwork network = new PodNetwork();

  @AfterEach
  void stop() throws Exception {
    network.close();
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void clientsReachPodsEveryWay(Variant variant) throws Exception {
    open(variant, Scheduler.RANDOM, 2);
    KernelSandbox client = network.client;
    assertThat(network.ask(client, VIP_4, 80)).matches("pod [01] asked by 198.51.100.5");
    assertThat(network.ask(client, VIP_6, 80)).matches("pod [01] asked by 2001:db8:5:.*:5");
    assertThat(network.askByDatagram(client, VIP_4, 80)).startsWith("pod ");
    assertThat(network.askByDatagram(client, VIP_6, 80)).startsWith("pod ");
    for (String address : List.of(NODE_4, NODE_6)) {
      assertThat(network.ask(client, address, NODE_PORT)).matches("pod [01] asked by .*1");
      assertThat(network.askByDatagram(client, address, NODE_PORT)).startsWith("pod ");
    }
    assertThat(network.ask(network.node, VIP_4, 80)).startsWith("pod ");
    assertThat(network.ask(network.node, VIP_6, 80)).startsWith("pod ");
    assertThat(network.ask(network.node, "127.0.0.1", NODE_PORT)).startsWith("pod ");
    assertThat(network.ask(network.pods.get(1), VIP_4, 80)).startsWith("pod ");
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void aServiceWithoutEndpointsRefusesAtOnce(Variant variant) {
    IptablesDataplane dataplane = open(variant, Scheduler.RANDOM, 1);
    for (String address : List.of(EMPTY_4, EMPTY_6)) {
      assertThatThrownBy(() -> network.connect(network.client, address, 80))
          .hasRootCauseInstanceOf(ConnectException.class)
          .hasRootCauseMessage("Connection refused");
      assertThatThrownBy(() -> network.askByDatagram(network.client, address, 80))
          .hasRootCauseInstanceOf(PortUnreachableException.class);
    }
    network.node.inNamespace(dataplane::read);
    assertThat(dataplane.events().get("rejected")).isGreaterThanOrEqualTo(4);
  }

  @Test
  void aPodReachesItselfThroughItsService() throws Exception {
    open(Variant.NFT, Scheduler.RANDOM, 1);
    KernelSandbox pod = network.pods.getFirst();
    assertThat(network.ask(pod, VIP_4, 80)).isEqualTo("pod 0 asked by 10.244.0.1");
    assertThat(network.ask(pod, VIP_6, 80)).matches("pod 0 asked by fd00:244:0:.*:1");
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void roundRobinTakesTurns(Variant variant) throws Exception {
    open(variant, Scheduler.RR, 2);
    List<String> pods = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      pods.add(network.ask(network.client, VIP_4, 80).substring(0, 5));
    }
    assertThat(pods.subList(0, 2)).doesNotHaveDuplicates();
    assertThat(pods.subList(2, 4)).isEqualTo(pods.subList(0, 2));
    assertThat(pods.subList(4, 6)).isEqualTo(pods.subList(0, 2));
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void establishedFlowsOutliveTheRules(Variant variant) throws Exception {
    IptablesDataplane dataplane = open(variant, Scheduler.RANDOM, 2);
    Socket toVip = network.connect(network.client, VIP_4, 80);
    Socket toNodePort = network.connect(network.client, NODE_6, NODE_PORT);
    String one = PodNetwork.ask(toVip);
    String other = PodNetwork.ask(toNodePort);
    assertThat(drain(dataplane)).isEqualTo(2);
    assertThatThrownBy(() -> network.connect(network.client, VIP_4, 80))
        .hasRootCauseInstanceOf(IOException.class);
    assertThat(PodNetwork.ask(toVip)).isEqualTo(one);
    toNodePort.close();
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(drain(dataplane)).isEqualTo(1));
    network.node.inNamespace(
        () -> {
          dataplane.remove();
          return true;
        });
    assertThat(PodNetwork.ask(toVip)).isEqualTo(one);
    assertThat(other).startsWith("pod ");
  }

  /** As with kube-proxy: conntrack would send it to a pod that is gone for as long as it asks. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aUdpClientMovesOnWhenItsPodIsNoEndpointAnyMore(Variant variant) throws Exception {
    IptablesDataplane dataplane = open(variant, Scheduler.RR, 2);
    List<Socket> connections = new ArrayList<>();
    List<DatagramSocket> flows = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      connections.add(network.connect(network.client, VIP_4, 80));
      for (String vip : List.of(VIP_4, VIP_6)) {
        flows.add(network.datagrams(network.client, vip, 80));
      }
      for (String node : List.of(NODE_4, NODE_6)) {
        flows.add(network.datagrams(network.client, node, NODE_PORT));
      }
    }
    List<String> before = new ArrayList<>();
    for (Socket connection : connections) {
      before.add(PodNetwork.ask(connection));
    }
    Set<String> pods = new HashSet<>();
    for (DatagramSocket flow : flows) {
      pods.add(PodNetwork.ask(flow).substring(0, 5));
    }
    assertThat(pods).containsExactlyInAnyOrder("pod 0", "pod 1");

    network.node.inNamespace(() -> dataplane.apply(changed(desired(2), desired(1))));
    for (DatagramSocket flow : flows) {
      assertThat(PodNetwork.ask(flow)).startsWith("pod 0");
      flow.close();
    }
    for (Socket connection : connections) {
      assertThat(PodNetwork.ask(connection)).isEqualTo(before.removeFirst());
    }
  }

  private static DesiredState.Delta changed(DesiredState before, DesiredState after) {
    List<ServicePort> old = List.copyOf(before.ports());
    List<DesiredState.Change> changes = new ArrayList<>();
    for (ServicePort port : after.ports()) {
      ServicePort was =
          old.stream().filter(p -> p.id().equals(port.id())).findFirst().orElseThrow();
      changes.add(new DesiredState.Change(was, port));
    }
    return new DesiredState.Delta(changes, List.of());
  }

  @ParameterizedTest
  @CsvSource({"ACCEPT, true", "DROP, false"})
  void rulesAreWaitedForOnlyWhereForwardingNeedsThem(String policy, boolean drained)
      throws Exception {
    IptablesDataplane dataplane = open(Variant.NFT, Scheduler.RANDOM, 2);
    Socket toVip = network.connect(network.client, VIP_4, 80);
    String one = PodNetwork.ask(toVip);
    DrainState state =
        network.node.inNamespace(
            () -> {
              Commands.run("iptables-nft", "-P", "FORWARD", policy);
              return dataplane.drain();
            });
    assertThat(state.flows()).isEqualTo(1);
    assertThat(state.drained()).isEqualTo(drained);
    assertThat(PodNetwork.ask(toVip)).isEqualTo(one);
  }

  private IptablesDataplane open(Variant variant, Scheduler scheduler, int pods) {
    IptablesDataplane dataplane =
        new IptablesDataplane(
            IptablesOptions.defaults().in(variant), IptablesFixture.settings(scheduler));
    return network.node.inNamespace(
        () -> {
          dataplane.prepare(desired(pods));
          dataplane.activate();
          return dataplane;
        });
  }

  private long drain(IptablesDataplane dataplane) {
    return network.node.inNamespace(dataplane::drain).flows();
  }

  private static DesiredState desired(int pods) {
    List<ServicePort> ports = new ArrayList<>();
    for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
      for (IpFamily family : IpFamily.values()) {
        boolean v4 = family == IpFamily.IPV4;
        String name = protocol.name();
        String[] backends = new String[pods];
        for (int i = 0; i < pods; i++) {
          backends[i] = (v4 ? PodNetwork.podV4(i) : PodNetwork.podV6(i)) + " " + PodNetwork.PORT;
        }
        ports.add(
            port(
                new ServicePortId("default", "web", name, protocol, family),
                List.of(
                    frontend(v4 ? VIP_4 : VIP_6, 80, protocol, FrontendKind.CLUSTER_IP),
                    frontend(v4 ? "0.0.0.0" : "::", NODE_PORT, protocol, FrontendKind.NODE_PORT)),
                backends));
        ports.add(
            port(
                new ServicePortId("default", "empty", name, protocol, family),
                List.of(frontend(v4 ? EMPTY_4 : EMPTY_6, 80, protocol, FrontendKind.CLUSTER_IP))));
      }
    }
    DesiredState desired = RandomServices.desired(ports);
    Set<Address> all =
        Set.of(
            Address.parse(NODE_4),
            Address.parse(NODE_6),
            Address.parse("10.244.0.1"),
            Address.parse("10.244.1.1"),
            Address.parse("fd00:244::1"),
            Address.parse("fd00:244:1::1"));
    return new DesiredState(desired.ports(), all, desired.digest());
  }
}
