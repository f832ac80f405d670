// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.FIN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Flows that the stack translates, from before the switch or after it. */
@ParameterizedClass(name = "v4 {0}")
@ValueSource(booleans = {true, false})
class StackFlowsTest {
  private static final int LIMIT = 100;

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;
  private final Endpoint client;
  private final Endpoint vip;
  private final Endpoint one;
  private final Endpoint two;

  StackFlowsTest(boolean v4) {
    client = Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
    vip = Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
    one = Endpoint.of(v4 ? "10.244.1.1" : "fd00:244:1::1", 8080);
    two = Endpoint.of(v4 ? "10.244.1.2" : "fd00:244:1::2", 8080);
    for (int protocol : new int[] {TCP, UDP}) {
      tables.service(vip, protocol, 1, 0, List.of(one, two));
    }
  }

  private byte[] datagram() {
    return PacketBuilder.udp(client, vip).build();
  }

  private void give(Endpoint backend) {
    int flags = Structs.CT_FORWARD | Structs.CT_STACK;
    tables.connection(Structs.CT_INGRESS, UDP, client, vip, backend, flags, LIMIT);
  }

  @Test
  void goOnUntouchedAsLongAsTheStackHasThem() {
    give(two);
    programs.leavesAlone(datagram());
    tables.age(Structs.CT_INGRESS, UDP, client, vip, LIMIT - 5);
    programs.leavesAlone(datagram());
    tables.age(Structs.CT_INGRESS, UDP, client, vip, LIMIT - 5);
    programs.leavesAlone(datagram());
    tables.age(Structs.CT_INGRESS, UDP, client, vip, LIMIT + 1);
    assertThat(programs.throughIngress(datagram()).to()).isEqualTo(one);
    assertThat(tables.hasConnection(Structs.CT_EGRESS, UDP, one, client)).isTrue();
  }

  @Test
  void leaveABackendThatLeftTheService() {
    give(two);
    programs.leavesAlone(datagram());
    tables.backends(2, 0, List.of(one));
    tables.frontend(vip, UDP, 2, 1, Structs.ROUND_ROBIN);
    tables.age(Structs.CT_INGRESS, UDP, client, vip, 2);
    assertThat(programs.throughIngress(datagram()).to()).isEqualTo(one);
  }

  @Test
  void areNotedBeforeTheDataplaneServes() {
    tables.phase(Tables.PREPARED);
    programs.leavesAlone(datagram());
    programs.leavesAlone(PacketBuilder.udp(client, two).build());
    tables.phase(Tables.ACTIVE);
    programs.leavesAlone(datagram());
    assertThat(tables.hasConnection(Structs.CT_INGRESS, UDP, client, two)).isFalse();
    Endpoint other = client.withPort(40124);
    assertThat(programs.throughIngress(PacketBuilder.udp(other, vip).build()).to()).isEqualTo(one);
    tables.age(Structs.CT_INGRESS, UDP, client, vip, 31);
    assertThat(programs.throughIngress(datagram()).to()).isEqualTo(two);
  }

  @Test
  void waitWhileTheyAreHandedOver() {
    programs.throughIngress(PacketBuilder.tcp(client, vip, SYN).build());
    int flags = Structs.CT_FORWARD | Structs.CT_HELD;
    tables.connection(Structs.CT_INGRESS, TCP, client, vip, one, flags, 0);
    byte[] next = PacketBuilder.tcp(client, vip, ACK).build();
    assertThat(programs.ingress(next).retval()).isEqualTo(PacketPrograms.DROP);
  }

  /** The stack may choose a port for its own flow that a closed one of ours still has here. */
  @Test
  void getTheirAnswersOnAPortThatAClosedFlowHad() {
    byte[] syn = PacketBuilder.tcp(client, vip, SYN).build();
    Endpoint node = programs.throughEgress(programs.throughIngress(syn).frame()).from();
    byte[] answer = PacketBuilder.tcp(one, node, SYN | ACK).build();
    assertThat(programs.throughIngress(answer).to()).isEqualTo(client);
    programs.throughIngress(PacketBuilder.tcp(client, vip, FIN | ACK).build());
    byte[] last = PacketBuilder.tcp(one, node, FIN | ACK).build();
    assertThat(programs.throughIngress(last).to()).isEqualTo(client);
    programs.leavesAlone(answer);
    programs.leavesAlone(PacketBuilder.tcp(one, node, ACK).build());
  }

  @Test
  void keepTheirPortsFromFlowsOfThePrograms() {
    tables.config(Tables.ACTIVE, 61_000, 61_001, 0);
    Endpoint node =
        Endpoint.of(
            (vip.address().isV4() ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6).toString(),
            61_000);
    Endpoint none = new Endpoint(Address.ANY_V6, 0);
    tables.connection(Structs.CT_INGRESS, UDP, one, node, none, Structs.CT_STACK, LIMIT);
    tables.service(vip, UDP, 1, 0, List.of(one));
    programs.leavesAlone(PacketBuilder.udp(one, node).build());
    byte[] sent = programs.throughIngress(datagram()).frame();
    assertThat(programs.throughEgress(sent).from()).isEqualTo(node.withPort(61_001));
  }
}
