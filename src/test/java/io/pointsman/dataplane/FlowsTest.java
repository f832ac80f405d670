// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.kernel.Conntrack;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Flows that are under way when the dataplane changes keep their backend and the address and port
 * that it sees, and lose nothing.
 */
@Execution(ExecutionMode.CONCURRENT)
class FlowsTest {
  private static final int EACH = 20;

  /** So many that chance leaves out none of three pods. */
  private static final int SOCKETS = 100;

  private static final int NODE_PORT = 30_080;
  private static final String VIP_V4 = "10.96.0.80";
  private static final String VIP_V6 = "fd00:96::80";

  private final FlowNetwork network = new FlowNetwork();
  private final DataplaneSettings settings =
      new DataplaneSettings(Scheduler.RANDOM, 30_000, 32_767);
  private final Dataplane iptables = new IptablesDataplane(IptablesOptions.defaults(), settings);
  private final Dataplane bpf =
      new BpfDataplane(
          BpfOptions.defaults()
              .pinnedUnder(network.node.bpffs().resolve("pointsman"))
              .on(network.node.cgroup()),
          settings);
  private final List<LiveFlow> flows = new ArrayList<>();
  private final List<LiveFlow> silent = new ArrayList<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final AtomicInteger rounds = new AtomicInteger();
  private final List<Thread> askers = new ArrayList<>();
  private volatile boolean enough;
  private volatile String step = "begin";
  private volatile boolean handsOver;

  @AfterEach
  void close() throws Exception {
    enough = true;
    for (Thread asker : askers) {
      asker.join();
    }
    for (LiveFlow flow : flows) {
      flow.close();
    }
    bpf.close();
    iptables.close();
    network.close();
  }

  @Test
  void datagramsOfOnePortStayWithTheirBackendFromIptablesToBpf() {
    serve(iptables);
    begin(Protocol.UDP);
    change(iptables, bpf);
    assertWhole();
  }

  @Test
  void connectionsStayWithTheirBackendFromIptablesToBpf() {
    serve(iptables);
    begin(Protocol.TCP);
    change(iptables, bpf);
    assertWhole();
  }

  @Test
  void datagramsOfOnePortStayWithTheirBackendFromBpfToIptables() {
    serve(bpf);
    begin(Protocol.UDP);
    change(bpf, iptables);
    assertWhole();
  }

  @Test
  void connectionsStayWithTheirBackendFromBpfToIptables() {
    serve(bpf);
    begin(Protocol.TCP);
    change(bpf, iptables);
    assertWhole();
  }

  /** So the backends know them by another address and port than the programs have. */
  @ParameterizedTest
  @EnumSource(
      value = Protocol.class,
      names = {"TCP", "UDP"})
  void flowsThatTheCniMasqueradesTooStayWithTheirBackend(Protocol protocol) {
    network.masqueradeTowardsOthers();
    serve(bpf);
    begin(protocol);
    assertThat(masquerades()).as("of the CNI").isPositive();
    change(bpf, iptables);
    change(iptables, bpf);
    change(bpf, iptables);
    assertWhole();
  }

  @Test
  void flowsLiveThroughSeveralChanges() {
    serve(iptables);
    begin(Protocol.TCP);
    begin(Protocol.UDP);
    change(iptables, bpf);
    change(bpf, iptables);
    change(iptables, bpf);
    assertWhole();
  }

  /** Or a client that uses its port again would be sent to where its old connection went. */
  @Test
  void closedConnectionsAreHandedOverAsClosed() throws Exception {
    serve(bpf);
    for (LiveFlow flow : open(Protocol.TCP, EACH)) {
      flow.close();
    }
    change(bpf, iptables);
    List<Conntrack.Flow> left = throughNodePort();
    assertThat(left).isNotEmpty().allMatch(Conntrack.Flow::closing);
  }

  /** Or a client that is silent for a moment would come to another backend. */
  @Test
  void conntrackKeepsWhatItIsGivenAsLongAsItsOwn() {
    serve(bpf);
    open(Protocol.UDP, 1);
    inNode(bpf::drain);
    int silence = FlowNetwork.SILENCE_SECONDS;
    assertThat(throughNodePort())
        .extracting(Conntrack.Flow::secondsLeft)
        .isNotEmpty()
        .allMatch(seconds -> seconds > silence / 2 && seconds <= silence);
  }

  /** Its sockets name the Service with every datagram, and the programs choose there. */
  @ParameterizedTest
  @ValueSource(strings = {VIP_V4, VIP_V6})
  void unconnectedSocketsOfAPodStayWithTheirBackendFromIptablesToBpf(String vip) throws Exception {
    serve(iptables);
    try (UnconnectedSockets sockets =
        new UnconnectedSockets(network.asker, network.node.cgroup(), SOCKETS, vip, 80)) {
      String before = sockets.ask();
      assertThat(before).contains("pod 0").contains("pod 1").contains("pod 2");
      inNode(() -> bpf.prepare(desired()));
      inNode(bpf::activate);
      assertThat(sockets.ask()).isEqualTo(before);
      inNode(iptables::drain);
      inNode(iptables::remove);
      assertThat(sockets.ask()).isEqualTo(before);
    }
  }

  /** Flows that are asked all the time, and some that are silent while the dataplane changes. */
  private void begin(Protocol protocol) {
    List<LiveFlow> begun = open(protocol, EACH);
    assertThat(begun.stream().map(LiveFlow::pod).collect(Collectors.toSet()))
        .hasSize(FlowNetwork.PODS);
    silent.addAll(open(protocol, EACH / 2));
    askers.add(Thread.ofPlatform().start(() -> askOnAndOn(begun)));
  }

  private List<LiveFlow> open(Protocol protocol, int each) {
    List<LiveFlow> begun = new ArrayList<>();
    for (int i = 0; i < each; i++) {
      begun.add(LiveFlow.open(network.outside, protocol, FlowNetwork.NODE_V4, NODE_PORT));
      begun.add(LiveFlow.open(network.outside, protocol, FlowNetwork.NODE_V6, NODE_PORT));
      begun.add(LiveFlow.open(network.asker, protocol, VIP_V4, 80));
      begun.add(LiveFlow.open(network.asker, protocol, VIP_V6, 80));
    }
    flows.addAll(begun);
    assertThat(begun).allSatisfy(flow -> assertThat(flow.check()).isEmpty());
    return begun;
  }

  private void askOnAndOn(List<LiveFlow> begun) {
    while (!enough && failures.isEmpty()) {
      for (LiveFlow flow : begun) {
        String failure = flow.checkWhile(() -> handsOver);
        if (!failure.isEmpty()) {
          failures.add(step + ": " + failure);
        }
      }
      rounds.incrementAndGet();
    }
  }

  /** How many flows to pods themselves the stack gives another address or port. */
  private long masquerades() {
    AtomicInteger found = new AtomicInteger();
    inNode(
        () ->
            Conntrack.forEach(
                false,
                flow -> {
                  boolean toPod = flow.original().destinationPort() == FlowNetwork.PORT;
                  if (toPod && !flow.reply().equals(flow.original().reversed())) {
                    found.incrementAndGet();
                  }
                }));
    return found.get();
  }

  private List<Conntrack.Flow> throughNodePort() {
    List<Conntrack.Flow> found = new ArrayList<>();
    inNode(
        () -> {
          try (Conntrack conntrack = new Conntrack()) {
            found.addAll(
                conntrack.read(false, flow -> flow.original().destinationPort() == NODE_PORT));
          }
        });
    return found;
  }

  private void serve(Dataplane dataplane) {
    inNode(
        () -> {
          dataplane.prepare(desired());
          dataplane.activate();
        });
  }

  private void change(Dataplane from, Dataplane to) {
    step("prepare", () -> to.prepare(desired()));
    step("activate", to::activate);
    step("maintain", to::maintain);
    handsOver = from == bpf;
    step(
        "drain",
        () -> {
          from.drain();
          handsOver = false;
        });
    step("remove", from::remove);
  }

  /** Flows are asked before, meanwhile and afterwards. */
  private void step(String name, Runnable action) {
    awaitRounds();
    step = name;
    inNode(action);
    awaitRounds();
  }

  /** Every flow is asked at least once from here on. */
  private void awaitRounds() {
    int now = rounds.get();
    org.awaitility.Awaitility.await()
        .until(() -> rounds.get() >= now + 3 * askers.size() || !failures.isEmpty());
  }

  private void assertWhole() {
    assertThat(failures).isEmpty();
    assertThat(silent).extracting(LiveFlow::check).allSatisfy(f -> assertThat(f).isEmpty());
  }

  private void inNode(Runnable action) {
    network.node.runInNamespace(action::run);
  }

  private static DesiredState desired() {
    List<ServicePort> ports = new ArrayList<>();
    for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
      for (IpFamily family : IpFamily.values()) {
        ports.add(port(protocol, family));
      }
    }
    DesiredState desired = RandomServices.desired(ports);
    Set<Address> node =
        Set.of(Address.parse(FlowNetwork.NODE_V4), Address.parse(FlowNetwork.NODE_V6));
    return new DesiredState(desired.ports(), node, desired.digest());
  }

  /** One pod is on this node and keeps the client's address; the others are as on another node. */
  private static ServicePort port(Protocol protocol, IpFamily family) {
    boolean v4 = family == IpFamily.IPV4;
    List<Backend> backends = new ArrayList<>();
    for (int i = 0; i < FlowNetwork.PODS; i++) {
      String pod = v4 ? FlowNetwork.podV4(i) : FlowNetwork.podV6(i);
      backends.add(new Backend(Address.parse(pod), FlowNetwork.PORT, i == 0));
    }
    Address vip = Address.parse(v4 ? VIP_V4 : VIP_V6);
    Address any = v4 ? Address.ANY_V4 : Address.ANY_V6;
    return new ServicePort(
        new ServicePortId("default", "web", protocol.name(), protocol, family),
        List.of(
            new Frontend(vip, 80, protocol, FrontendKind.CLUSTER_IP),
            new Frontend(any, NODE_PORT, protocol, FrontendKind.NODE_PORT)),
        backends);
  }
}
