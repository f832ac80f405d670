// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.FIN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.RST;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Flows that the stack sends from an address and port of this node, as a CNI has it masquerade,
 * beside those of the programs.
 */
@ParameterizedClass(name = "v4 {0}, protocol {1}")
@MethodSource("kinds")
class StackPortsTest {
  private static final int RANGE = 2;
  private static final long SECOND = 1_000_000_000L;
  private static final int NODE_PORT = 30_053;

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;
  private final int protocol;
  private final Endpoint client;
  private final Endpoint vip;
  private final Endpoint backend;
  private final Endpoint node;
  private final Endpoint far;

  static Stream<Arguments> kinds() {
    return Stream.of(true, false)
        .flatMap(v4 -> Stream.of(TCP, UDP).map(protocol -> Arguments.of(v4, protocol)));
  }

  StackPortsTest(boolean v4, int protocol) {
    this.protocol = protocol;
    client = Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
    vip = Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
    backend = Endpoint.of(v4 ? "10.244.1.1" : "fd00:244:1::1", 8080);
    far = Endpoint.of(v4 ? "203.0.113.9" : "2001:db8:9::9", 53);
    Address own = v4 ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6;
    node = Endpoint.of(own.toString(), Tables.LOW_PORT);
    tables.service(vip, protocol, 1, 0, List.of(backend));
    Address any = v4 ? Address.ANY_V4 : Address.ANY_V6;
    tables.service(new Endpoint(any, NODE_PORT), protocol, 2, Structs.BE_LOCAL, List.of(backend));
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, Tables.LOW_PORT + RANGE - 1, 0);
    tables.device(PacketPrograms.IFINDEX, PacketPrograms.NODE_V4, PacketPrograms.NODE_V6);
  }

  private byte[] packet(Endpoint from, Endpoint to, int flags) {
    return PacketBuilder.of(protocol, from, to).flags(flags).build();
  }

  /** What a client's packet has become when it leaves the node. */
  private Wire connect(Endpoint from) {
    Wire in = programs.throughIngress(packet(from, vip, SYN));
    return programs.throughEgress(in.frame());
  }

  private Endpoint answered(Endpoint to) {
    return programs.throughIngress(packet(backend, to, SYN | ACK)).to();
  }

  private void leavesAsItIs(Endpoint from, Endpoint to) {
    Wire sent = programs.throughEgress(packet(from, to, SYN));
    assertThat(sent.from()).isEqualTo(from);
    assertThat(sent.to()).isEqualTo(to);
  }

  @Test
  void keepTheirPorts() {
    leavesAsItIs(node, backend);
    assertThat(connect(client).sourcePort()).isEqualTo(Tables.LOW_PORT + 1);
    assertThat(answered(node)).isEqualTo(node);
    byte[] next = packet(client.withPort(40124), vip, SYN);
    assertThat(programs.ingress(next).retval()).isEqualTo(PacketPrograms.DROP);
    programs.throughIngress(packet(backend, node, FIN | ACK));
    tables.age(Structs.CT_INGRESS, protocol, backend, node, 181);
    assertThat(connect(client.withPort(40124)).from()).isEqualTo(node);
  }

  @Test
  void giveTheirPortsBackWhenTheyEndFromHere() {
    leavesAsItIs(node, backend);
    assertThat(answered(node)).isEqualTo(node);
    connect(client);
    byte[] next = packet(client.withPort(40124), vip, SYN);
    assertThat(programs.throughEgress(packet(node, backend, FIN | ACK)).from()).isEqualTo(node);
    // Just now, also on a machine that is slow.
    long soon = Clock.bootNanos() + 60 * SECOND;
    tables.seen(Structs.CT_INGRESS, protocol, backend, node, soon);
    assertThat(programs.ingress(next).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(programs.throughIngress(packet(backend, node, FIN | ACK)).to()).isEqualTo(node);
    // A datagram says nothing of its flow's end.
    if (protocol == UDP) {
      tables.age(Structs.CT_INGRESS, protocol, backend, node, 181);
    }
    assertThat(connect(client.withPort(40124)).from()).isEqualTo(node);
  }

  @Test
  void giveTheirPortsBackWhenTheyAreReset() {
    for (boolean byBackend : new boolean[] {true, false}) {
      leavesAsItIs(node, backend);
      if (byBackend) {
        programs.throughIngress(packet(backend, node, RST));
      } else {
        programs.throughEgress(packet(node, backend, RST));
      }
      assertThat(tables.hasConnection(Structs.CT_INGRESS, protocol, backend, node))
          .isEqualTo(protocol == UDP);
    }
  }

  /** The port that was meant for it is free at once, and it goes on when that is taken. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void masqueradeFlowsOfOursThatGoOn(boolean takenByUs) {
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, Tables.LOW_PORT, 0);
    assertThat(programs.throughIngress(packet(client, vip, SYN)).to()).isEqualTo(backend);
    leavesAsItIs(node.withPort(40_000), backend);
    byte[] answer = packet(backend, client, SYN | ACK);
    assertThat(programs.throughEgress(answer).from()).isEqualTo(vip);
    if (takenByUs) {
      assertThat(connect(client.withPort(40124)).from()).isEqualTo(node);
    } else {
      leavesAsItIs(node, backend);
      assertThat(answered(node)).isEqualTo(node);
    }
    assertThat(tables.hasConnection(Structs.CT_EGRESS, protocol, client, backend)).isFalse();
    assertThat(programs.throughIngress(packet(client, vip, ACK)).to()).isEqualTo(backend);
    assertThat(programs.throughEgress(answer).from()).isEqualTo(vip);
  }

  /** Where the stack masquerades all that goes to other nodes, our own entries are never used. */
  @Test
  void getThePortsOfFlowsThatAreOver() {
    Endpoint ours = connect(client).from();
    tables.age(Structs.CT_INGRESS, protocol, backend, ours, 181);
    tables.age(Structs.CT_EGRESS, protocol, client, backend, 181);
    leavesAsItIs(ours, backend);
    assertThat(answered(ours)).isEqualTo(ours);
    assertThat(tables.hasConnection(Structs.CT_EGRESS, protocol, client, backend)).isFalse();
  }

  @Test
  void leaveWithAnotherPortWhereAFlowOfOursGoesOn() {
    Endpoint ours = connect(client).from();
    assertThat(answered(ours)).isEqualTo(client);
    Endpoint other = programs.throughEgress(packet(ours, backend, SYN)).from();
    assertThat(other).isNotEqualTo(ours);
    assertThat(other.address()).isEqualTo(node.address());
    assertThat(programs.throughEgress(packet(ours, backend, ACK)).from()).isEqualTo(other);
    assertThat(answered(other)).isEqualTo(ours);
    assertThat(answered(ours)).isEqualTo(client);
  }

  /** As one does from before, of which nothing is noted. */
  @Test
  void endWithoutAFlowOfOursThatHasTheSamePort() {
    Endpoint ours = connect(client).from();
    assertThat(answered(ours)).isEqualTo(client);
    programs.throughEgress(packet(ours, backend, RST));
    programs.throughEgress(packet(ours, backend, FIN | ACK));
    assertThat(answered(ours)).isEqualTo(client);
  }

  /** Its client's packets have been given another port since, as when an entry was pushed out. */
  @Test
  void takeAPortThatAFlowOfOursHasNoLonger() {
    Endpoint ours = connect(client).from();
    Endpoint other = node.withPort(2 * node.port() + RANGE - 1 - ours.port());
    tables.connection(Structs.CT_EGRESS, protocol, client, backend, other, Structs.CT_FORWARD, 0);
    tables.age(Structs.CT_EGRESS, protocol, client, backend, 181);
    tables.age(Structs.CT_INGRESS, protocol, backend, ours, 181);
    leavesAsItIs(ours, backend);
    assertThat(tables.hasConnection(Structs.CT_EGRESS, protocol, client, backend)).isTrue();
    assertThat(programs.throughIngress(packet(client, vip, ACK)).to()).isEqualTo(backend);
  }

  @Test
  void areDroppedWhereNoOtherPortIsFree() {
    Endpoint ours = connect(client).from();
    connect(client.withPort(40124));
    byte[] packet = packet(ours, backend, SYN);
    assertThat(programs.egress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(tables.count(Counter.DROP_NO_MASQUERADE_PORT)).isEqualTo(1);
    assertThat(answered(ours)).isEqualTo(client);
  }

  @Test
  void leaveNoTraceWithAddressesAndPortsThatWeNeverUse() {
    for (Endpoint from : List.of(client.withPort(node.port()), node.withPort(60_999))) {
      leavesAsItIs(from, backend);
      assertThat(tables.hasConnection(Structs.CT_INGRESS, protocol, backend, from)).isFalse();
    }
  }

  @Test
  void areNotTakenForRequestsToANodePort() {
    Endpoint port = node.withPort(NODE_PORT);
    leavesAsItIs(port, far);
    programs.leavesAlone(packet(far, port, ACK));
    Wire asked = programs.throughIngress(packet(client, port, SYN));
    assertThat(asked.to()).isEqualTo(backend);
    leavesAsItIs(node.withPort(NODE_PORT + 1), far);
    assertThat(
            tables.hasConnection(Structs.CT_INGRESS, protocol, far, node.withPort(NODE_PORT + 1)))
        .as("no Service has this node port")
        .isFalse();
    if (protocol == UDP) {
      tables.age(Structs.CT_INGRESS, UDP, far, port, Structs.UDP_TIMEOUT + 1);
    }
    assertThat(programs.throughIngress(packet(far, port, SYN)).to()).isEqualTo(backend);
  }

  @Test
  void keepANodePortForAsLongAsTheStackKeepsThem() {
    Endpoint port = node.withPort(NODE_PORT);
    leavesAsItIs(port, far);
    programs.leavesAlone(packet(far, port, ACK));
    if (protocol == UDP) {
      tables.age(Structs.CT_INGRESS, UDP, far, port, Structs.UDP_TIMEOUT - 5);
      leavesAsItIs(port, far);
      tables.age(Structs.CT_INGRESS, UDP, far, port, Structs.STREAM_TIMEOUT - 5);
      programs.leavesAlone(packet(far, port, 0));
      tables.age(Structs.CT_INGRESS, UDP, far, port, Structs.STREAM_TIMEOUT + 1);
    }
    assertThat(programs.throughIngress(packet(far, port, SYN)).to()).isEqualTo(backend);
  }

  /** As behind a device on top of another, where our own packets come by once more. */
  @Test
  void areNotLookedForBehindADeviceWithoutTheAddress() {
    tables.device(PacketPrograms.IFINDEX, Address.ANY_V6, Address.ANY_V6);
    Endpoint ours = connect(client).from();
    leavesAsItIs(ours, backend);
    assertThat(answered(ours)).isEqualTo(client);
  }
}
