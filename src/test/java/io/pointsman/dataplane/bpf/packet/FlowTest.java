// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.FIN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.RST;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a packet goes on with a flow, and when it begins another. */
class FlowTest {
  private static final Endpoint CLIENT = Endpoint.of("198.51.100.5", 40123);
  private static final Endpoint VIP = Endpoint.of("10.96.0.10", 80);
  private static final Endpoint ONE = Endpoint.of("10.244.1.1", 8080);
  private static final Endpoint TWO = Endpoint.of("10.244.1.2", 8080);
  private static final Endpoint THREE = Endpoint.of("10.244.1.3", 8080);
  private static final int SET = 1500;

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;

  @BeforeEach
  void serve() {
    for (int protocol : new int[] {TCP, UDP}) {
      tables.service(VIP, protocol, 1, 0, List.of(ONE, TWO));
    }
  }

  private Wire send(int protocol, int flags) {
    return programs.throughIngress(packet(protocol, flags));
  }

  private static byte[] packet(int protocol, int flags) {
    return PacketBuilder.of(protocol, CLIENT, VIP).flags(flags).build();
  }

  private void move(int protocol, Endpoint... backends) {
    tables.backends(2, 0, List.of(backends));
    tables.frontend(VIP, protocol, 2, backends.length, Structs.ROUND_ROBIN);
    tables.removeBackends(1, 2);
  }

  @Test
  void leavesConnectionsThatBeganElsewhereToTheStack() {
    for (int flags : new int[] {ACK, SYN | ACK, FIN | ACK, RST, 0}) {
      programs.leavesAlone(packet(TCP, flags));
    }
    assertThat(tables.count(Counter.PASS_UNKNOWN_FLOW)).as("connections that ended").isEqualTo(2);
    assertThat(tables.count(Counter.FLOW_NEW)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {FIN | ACK, RST})
  void startsAnewWithASynAfterTheConnectionClosed(int closing) {
    assertThat(send(TCP, SYN).to()).isEqualTo(ONE);
    assertThat(send(TCP, closing).to()).isEqualTo(ONE);
    assertThat(send(TCP, ACK).to()).isEqualTo(ONE);
    assertThat(send(TCP, SYN).to()).isEqualTo(TWO);
    assertThat(tables.hasConnection(Structs.CT_EGRESS, TCP, ONE, CLIENT)).isFalse();
    assertThat(tables.hasConnection(Structs.CT_EGRESS, TCP, CLIENT, ONE)).isFalse();
    assertThat(tables.hasConnection(Structs.CT_EGRESS, TCP, TWO, CLIENT)).isTrue();
  }

  @Test
  void startsAnewAfterTheBackendClosed() {
    send(TCP, SYN);
    programs.throughEgress(PacketBuilder.tcp(ONE, CLIENT, RST).build());
    assertThat(send(TCP, SYN).to()).isEqualTo(TWO);
  }

  /** A client may use a port again that it has used through the Service, and ask a pod itself. */
  @Test
  void leavesTheAnswerToAConnectionPastTheServiceAlone() {
    send(TCP, SYN);
    send(TCP, FIN | ACK);
    Wire last = programs.throughEgress(PacketBuilder.tcp(ONE, CLIENT, ACK).build());
    assertThat(last.from()).isEqualTo(VIP);
    programs.leavesAlone(PacketBuilder.tcp(ONE, CLIENT, SYN | ACK).build());
    assertThat(tables.hasConnection(Structs.CT_INGRESS, TCP, CLIENT, VIP)).isFalse();
    assertThat(tables.hasConnection(Structs.CT_EGRESS, TCP, ONE, CLIENT)).isFalse();
  }

  @Test
  void doesNotMasqueradeAConnectionPastTheService() {
    programs.throughEgress(send(TCP, SYN).frame());
    Wire last = programs.throughEgress(send(TCP, FIN | ACK).frame());
    assertThat(last.from()).isNotEqualTo(CLIENT);
    programs.leavesAlone(PacketBuilder.tcp(CLIENT, ONE, SYN).build());
    assertThat(tables.hasConnection(Structs.CT_EGRESS, TCP, CLIENT, ONE)).isFalse();
    assertThat(send(TCP, SYN).to()).isEqualTo(TWO);
  }

  @Test
  void keepsTheAnswerOfAConnectionThatIsOpen() {
    send(TCP, SYN);
    for (int i = 0; i < 2; i++) {
      Wire answer = programs.throughEgress(PacketBuilder.tcp(ONE, CLIENT, SYN | ACK).build());
      assertThat(answer.from()).isEqualTo(VIP);
    }
  }

  @Test
  void startsAnewWithASynLongAfterTheLastPacket() {
    send(TCP, SYN);
    tables.age(Structs.CT_INGRESS, TCP, CLIENT, VIP, 100);
    assertThat(send(TCP, SYN).to()).isEqualTo(ONE);
    tables.age(Structs.CT_INGRESS, TCP, CLIENT, VIP, 121);
    assertThat(send(TCP, SYN).to()).isEqualTo(TWO);
  }

  @Test
  void keepsAConnectionWhoseBackendLeftButNotItsSyn() {
    send(TCP, SYN);
    move(TCP, TWO);
    assertThat(send(TCP, ACK).to()).isEqualTo(ONE);
    assertThat(send(TCP, SYN).to()).isEqualTo(TWO);
    assertThat(send(TCP, ACK).to()).isEqualTo(TWO);
  }

  @Test
  void keepsAFlowWhoseServiceChangedAroundIt() {
    send(TCP, SYN);
    send(UDP, 0);
    move(TCP, TWO, ONE);
    move(UDP, TWO, ONE);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(TCP, SYN).to()).isEqualTo(ONE);
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(2);
  }

  /** A set ascends by address and port: first what runs on this node, then the others. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 750, 1498, 1499, 1500, 1501, 2250, 2998, 2999})
  void keepsAFlowInASetOfAnySize(int place) {
    List<Endpoint> all = new ArrayList<>();
    for (int i = 0; i < 2 * SET; i++) {
      boolean local = i < SET;
      int host = local ? i : i - SET;
      String address = "10.244.%d.%d".formatted(local ? 200 : host / 500, host / 2 % 250);
      all.add(Endpoint.of(address, local ? 1000 + i : 8080 + i % 2));
    }
    List<Endpoint> local = inOrder(all.subList(0, SET));
    List<Endpoint> remote = inOrder(all.subList(SET, 2 * SET));
    Endpoint backend = place < SET ? local.get(place) : remote.get(place - SET);
    tables.backends(2, 0, List.of(backend));
    tables.frontend(VIP, UDP, 2, 1, Structs.ROUND_ROBIN);
    assertThat(send(UDP, 0).to()).isEqualTo(backend);
    tables.backends(3, 0, Structs.BE_LOCAL, local);
    tables.backends(3, SET, 0, remote);
    tables.frontend(VIP, UDP, 3, 2 * SET, SET, Structs.ROUND_ROBIN);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(backend);
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(1);
    (place < SET ? local : remote).remove(backend);
    tables.backends(4, 0, Structs.BE_LOCAL, local);
    tables.backends(4, local.size(), 0, remote);
    tables.frontend(VIP, UDP, 4, 2 * SET - 1, local.size(), Structs.ROUND_ROBIN);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isNotEqualTo(backend);
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(2);
  }

  private static List<Endpoint> inOrder(List<Endpoint> backends) {
    List<Endpoint> sorted = new ArrayList<>(backends);
    sorted.sort(Comparator.comparing(Endpoint::address).thenComparingInt(Endpoint::port));
    return sorted;
  }

  @Test
  void movesAUdpFlowWhoseBackendLeftWithinASecond() {
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    move(UDP, TWO);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(TWO);
  }

  /** As with kube-proxy: what a pod has begun it may finish, and new flows go to the others. */
  @Test
  void keepsAUdpFlowWhoseBackendTerminatesUntilThatIsGone() {
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    tables.backends(2, 0, List.of(TWO, ONE, THREE));
    tables.terminating(VIP, UDP, 2, 1, 2);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    for (int port = 40_200; port < 40_210; port++) {
      byte[] other = PacketBuilder.udp(CLIENT.withPort(port), VIP).build();
      assertThat(programs.throughIngress(other).to()).isEqualTo(TWO);
    }
    tables.backends(3, 0, List.of(TWO, THREE));
    tables.terminating(VIP, UDP, 3, 1, 1);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(TWO);
  }

  /** As kube-proxy does: it may be Ready again soon. New flows, and connections, are refused. */
  @Test
  void keepsAUdpFlowWhoseServiceHasNobodyReady() {
    for (int protocol : new int[] {UDP, TCP}) {
      assertThat(send(protocol, SYN).to()).isEqualTo(ONE);
      tables.frontend(VIP, protocol, 2, 0, Structs.ROUND_ROBIN);
    }
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    assertThat(programs.ingress(packet(TCP, SYN)).retval()).isEqualTo(PacketPrograms.REDIRECT);
    byte[] other = PacketBuilder.udp(CLIENT.withPort(40124), VIP).build();
    assertThat(programs.ingress(other).retval()).isEqualTo(PacketPrograms.REDIRECT);
    move(UDP, TWO);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    assertThat(send(UDP, 0).to()).isEqualTo(TWO);
  }

  @Test
  void leavesAUdpFlowWhoseServiceWentToTheStack() {
    send(UDP, 0);
    tables.removeFrontend(VIP, UDP);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 2);
    programs.leavesAlone(packet(UDP, 0));
    assertThat(tables.hasConnection(Structs.CT_INGRESS, UDP, CLIENT, VIP)).isFalse();
  }

  @Test
  void startsAUdpFlowAnewOnlyWhenBothDirectionsAreIdle() {
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 181);
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    tables.age(Structs.CT_INGRESS, UDP, CLIENT, VIP, 181);
    tables.age(Structs.CT_EGRESS, UDP, ONE, CLIENT, 181);
    assertThat(send(UDP, 0).to()).isEqualTo(TWO);
  }

  @Test
  void doesNothingWhilePrepared() {
    send(TCP, SYN);
    tables.phase(Tables.PREPARED);
    programs.leavesAlone(packet(TCP, ACK));
    programs.leavesAlone(packet(UDP, 0));
  }

  @Test
  void servesOnlyWhatItKnowsWhileDraining() {
    send(TCP, SYN);
    send(UDP, 0);
    tables.phase(Tables.DRAINING);
    assertThat(send(TCP, ACK).to()).isEqualTo(ONE);
    assertThat(send(UDP, 0).to()).isEqualTo(ONE);
    Endpoint other = CLIENT.withPort(40124);
    programs.leavesAlone(PacketBuilder.tcp(other, VIP, SYN).build());
    programs.leavesAlone(PacketBuilder.udp(other, VIP).build());
  }

  @Test
  void givesAReusedTupleToTheNextDataplaneWhileDraining() {
    send(TCP, SYN);
    send(TCP, FIN | ACK);
    tables.phase(Tables.DRAINING);
    programs.leavesAlone(packet(TCP, SYN));
    programs.leavesAlone(packet(TCP, ACK));
  }

  /** The stack masquerades with any port, also with one that a flow of ours has had. */
  @ParameterizedTest
  @ValueSource(ints = {TCP, UDP})
  void givesItsPortToAFlowOfTheStackWhileDraining(int protocol) {
    tables.backends(1, 0, List.of(ONE));
    tables.frontend(VIP, protocol, 1, 1, Structs.ROUND_ROBIN);
    Endpoint ours = programs.throughEgress(send(protocol, SYN).frame()).from();
    byte[] answer = PacketBuilder.of(protocol, ONE, ours).flags(ACK).build();
    assertThat(programs.throughIngress(answer).to()).isEqualTo(CLIENT);
    tables.phase(Tables.DRAINING);
    assertThat(programs.throughIngress(answer).to()).isEqualTo(CLIENT);
    programs.leavesAlone(PacketBuilder.of(protocol, ours, ONE).flags(SYN).build());
    programs.leavesAlone(answer);
  }

  @Test
  void givesTwoFlowsOfOnePortToDifferentBackends() {
    Endpoint other = Endpoint.of("10.96.0.11", 80);
    tables.service(other, TCP, 3, 0, List.of(ONE, TWO));
    assertThat(send(TCP, SYN).to()).isEqualTo(ONE);
    assertThat(programs.throughIngress(PacketBuilder.tcp(CLIENT, other, SYN).build()).to())
        .isEqualTo(TWO);
    Endpoint third = Endpoint.of("10.96.0.12", 80);
    tables.service(third, TCP, 4, 0, List.of(ONE, TWO));
    byte[] packet = PacketBuilder.tcp(CLIENT, third, SYN).build();
    assertThat(programs.ingress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(tables.count(Counter.DROP_TUPLE_TAKEN)).isEqualTo(1);
    send(TCP, RST);
    assertThat(programs.throughIngress(packet).to()).isEqualTo(ONE);
  }

  @Test
  void countsARaceWhenItsBackendIsNotThere() {
    tables.frontend(VIP, TCP, 9, 1, Structs.ROUND_ROBIN);
    assertThat(programs.ingress(packet(TCP, SYN)).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(tables.count(Counter.LOOKUP_RACED)).isEqualTo(16);
  }

  @Test
  void neverTakesABackendThatCarriesAnotherId() {
    tables.map("nat_be").update(Structs.backendKey(1, 0), Structs.backend(ONE, 0, 77));
    for (int i = 0; i < 20; i++) {
      byte[] packet = PacketBuilder.tcp(CLIENT.withPort(1000 + i), VIP, SYN).build();
      assertThat(programs.throughIngress(packet).to()).isEqualTo(TWO);
    }
  }
}
