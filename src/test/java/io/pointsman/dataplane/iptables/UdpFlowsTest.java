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
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.ThreadRights;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.PortUnreachableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that keep their port, which conntrack sends where it has sent them before. */
@Execution(ExecutionMode.CONCURRENT)
class UdpFlowsTest {
  private static final String VIP_4 = "10.96.0.80";
  private static final String VIP_6 = "fd00:96::80";
  private static final String NODE_4 = "198.51.100.1";
  private static final String NODE_6 = "2001:db8:5::1";
  private static final int NODE_PORT = 30_080;
  private static final Set<Address> NODE = Set.of(Address.parse(NODE_4), Address.parse(NODE_6));

  /** A Service port whose number is the node port of {@link #web}. */
  private static final ServicePort NUMBERED_ALIKE =
      port(
          new ServicePortId("default", "alike", "", Protocol.UDP, IpFamily.IPV4),
          List.of(frontend("10.96.0.81", NODE_PORT, Protocol.UDP, FrontendKind.CLUSTER_IP)),
          PodNetwork.podV4(1) + " " + PodNetwork.PORT);

  private final PodNetwork network = new PodNetwork();
  private final List<DatagramSocket> flows = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    flows.forEach(DatagramSocket::close);
    network.close();
  }

  static Stream<Arguments> frontends() {
    return Stream.of(Variant.values())
        .flatMap(
            variant ->
                Stream.of(
                    Arguments.of(variant, VIP_4, 80),
                    Arguments.of(variant, VIP_6, 80),
                    Arguments.of(variant, NODE_4, NODE_PORT),
                    Arguments.of(variant, NODE_6, NODE_PORT)));
  }

  /** It went nowhere, and for as long as it asked. */
  @ParameterizedTest
  @MethodSource("frontends")
  void aFlowFromBeforeTheRulesIsServedOnceTheyAreThere(Variant variant, String address, int port)
      throws IOException {
    IptablesDataplane dataplane = prepare(variant, web(IpFamily.IPV4, 2), web(IpFamily.IPV6, 2));
    DatagramSocket flow = flow(network.client, address, port);
    flow.send(new DatagramPacket(new byte[1], 1));
    if (port == NODE_PORT) {
      assertThatThrownBy(() -> flow.receive(new DatagramPacket(new byte[1], 1)))
          .isInstanceOf(PortUnreachableException.class);
    }
    Awaitility.await().until(() -> !tracked(address).isEmpty());
    inNode(
        () -> {
          dataplane.activate();
          dataplane.maintain();
        });
    assertThat(PodNetwork.ask(flow)).startsWith("pod ");
  }

  /** It ended with every change of a Service whose node port has the same number. */
  @Test
  void aFlowToAnotherAddressIsNoneOfANodePort() throws IOException {
    IptablesDataplane dataplane = prepare(Variant.NFT, web(IpFamily.IPV4, 2), NUMBERED_ALIKE);
    inNode(dataplane::activate);
    DatagramSocket flow = flow(network.client, "10.96.0.81", NODE_PORT);
    assertThat(PodNetwork.ask(flow)).startsWith("pod 1");
    List<Integer> before = tracked("10.96.0.81");
    inNode(() -> dataplane.apply(fewer()));
    inNode(dataplane::maintain);
    assertThat(tracked("10.96.0.81")).isEqualTo(before).hasSize(1);
  }

  /** As with kube-proxy: a pod that is not Ready for a moment loses no session. */
  @Test
  void whereNoEndpointIsLeftFlowsStay() throws IOException {
    IptablesDataplane dataplane = prepare(Variant.NFT, web(IpFamily.IPV4, 1));
    inNode(dataplane::activate);
    assertThat(PodNetwork.ask(flow(network.client, VIP_4, 80))).startsWith("pod 0");
    List<Integer> before = tracked(VIP_4);
    Change none = new Change(web(IpFamily.IPV4, 1), web(IpFamily.IPV4, 0));
    inNode(() -> dataplane.apply(new Delta(List.of(none), List.of())));
    inNode(dataplane::maintain);
    assertThat(tracked(VIP_4)).isEqualTo(before).hasSize(1);
  }

  /** As with kube-proxy: what a pod has begun it may finish, and new flows go to the others. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aFlowStaysWithAnEndpointThatTerminatesUntilThatIsGone(Variant variant) throws IOException {
    ServicePort both = web(IpFamily.IPV4, 2);
    ServicePort one = web(IpFamily.IPV4, 1);
    ServicePort terminating =
        new ServicePort(one.id(), one.frontends(), one.backends(), both.backends().subList(1, 2));
    IptablesDataplane dataplane = prepare(variant, both);
    inNode(dataplane::activate);
    List<String> before = List.of("pod 0", "pod 1");
    assertThat(List.of(askAnew(), askAnew())).containsExactlyInAnyOrderElementsOf(before);
    List<Integer> tracked = tracked(VIP_4);
    inNode(() -> dataplane.apply(new Delta(List.of(new Change(both, terminating)), List.of())));
    inNode(dataplane::maintain);
    assertThat(tracked(VIP_4)).isEqualTo(tracked).hasSize(2);
    assertThat(askAll()).containsExactlyInAnyOrderElementsOf(before);
    assertThat(askAnew()).isEqualTo("pod 0");
    inNode(() -> dataplane.apply(new Delta(List.of(new Change(terminating, one)), List.of())));
    assertThat(askAll()).containsOnly("pod 0");
  }

  private String askAnew() throws IOException {
    flow(network.client, VIP_4, 80);
    return askAll().getLast();
  }

  private List<String> askAll() throws IOException {
    List<String> pods = new ArrayList<>();
    for (DatagramSocket flow : flows) {
      pods.add(PodNetwork.ask(flow).substring(0, "pod 0".length()));
    }
    return pods;
  }

  /** The same tuple outside its zone is another flow, which would be ended in its place. */
  @Test
  void aFlowInAZoneOfOthersIsTheirs() throws IOException {
    IptablesDataplane dataplane = prepare(Variant.NFT, web(IpFamily.IPV4, 1));
    String zone = "iptables-nft -t raw -A PREROUTING -p udp -d " + VIP_4 + " -j CT --zone 7";
    inNode(() -> new CommandRunner().lines(zone.split(" ")));
    flow(network.client, VIP_4, 80).send(new DatagramPacket(new byte[1], 1));
    Awaitility.await().until(() -> !tracked(VIP_4).isEmpty());
    List<Integer> before = tracked(VIP_4);
    inNode(dataplane::activate);
    inNode(dataplane::maintain);
    assertThat(tracked(VIP_4)).isEqualTo(before);
  }

  /** The rules are there: it made the agent read and write everything anew. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aFlowThatCannotBeEndedIsEndedLater(Variant variant) throws IOException {
    IptablesDataplane dataplane = prepare(variant, web(IpFamily.IPV4, 2));
    inNode(dataplane::activate);
    List<DatagramSocket> toVip = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      toVip.add(flow(network.client, VIP_4, 80));
      assertThat(PodNetwork.ask(toVip.getLast())).startsWith("pod ");
    }
    List<Integer> before = tracked(VIP_4);
    inNode(
        () -> {
          ThreadRights.dropNetAdmin();
          assertThat(dataplane.apply(fewer()).fallbacks()).isEmpty();
          dataplane.maintain();
        });
    assertThat(tracked(VIP_4)).isEqualTo(before).hasSize(2);
    inNode(dataplane::maintain);
    for (DatagramSocket each : toVip) {
      assertThat(PodNetwork.ask(each)).startsWith("pod 0");
    }
  }

  private IptablesDataplane prepare(Variant variant, ServicePort... ports) {
    IptablesDataplane dataplane =
        new IptablesDataplane(
            IptablesOptions.defaults().in(variant), IptablesFixture.settings(Scheduler.RR));
    DesiredState desired = RandomServices.desired(List.of(ports));
    inNode(() -> dataplane.prepare(new DesiredState(desired.ports(), NODE, desired.digest())));
    return dataplane;
  }

  /** The second pod is no endpoint any more. */
  private static Delta fewer() {
    Change change = new Change(web(IpFamily.IPV4, 2), web(IpFamily.IPV4, 1));
    return new Delta(List.of(change), List.of());
  }

  private static ServicePort web(IpFamily family, int pods) {
    boolean v4 = family == IpFamily.IPV4;
    return port(
        new ServicePortId("default", "web", "", Protocol.UDP, family),
        List.of(
            frontend(v4 ? VIP_4 : VIP_6, 80, Protocol.UDP, FrontendKind.CLUSTER_IP),
            frontend(v4 ? "0.0.0.0" : "::", NODE_PORT, Protocol.UDP, FrontendKind.NODE_PORT)),
        IntStream.range(0, pods)
            .mapToObj(i -> (v4 ? PodNetwork.podV4(i) : PodNetwork.podV6(i)) + " " + PodNetwork.PORT)
            .toArray(String[]::new));
  }

  private DatagramSocket flow(KernelSandbox from, String address, int port) {
    flows.add(network.datagrams(from, address, port));
    return flows.getLast();
  }

  /** The kernel's names of the flows of UDP that it tracks to an address. */
  private List<Integer> tracked(String address) {
    InetAddress to = InetAddress.ofLiteral(address);
    return network.node.inNamespace(
        () -> {
          try (Conntrack conntrack = new Conntrack()) {
            return conntrack
                .read(
                    flow ->
                        flow.protocol() == Protocol.UDP.number()
                            && flow.original().destination().equals(to))
                .stream()
                .map(Conntrack.Flow::id)
                .sorted()
                .toList();
          }
        });
  }

  private void inNode(Runnable action) {
    network.node.runInNamespace(action::run);
  }
}
