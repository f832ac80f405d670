// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.FIN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.KernelSandbox;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which flows get an address of the node, which address, and which port. */
class MasqueradeTest {
  private static final Endpoint VIP = Endpoint.of("10.96.0.10", 80);
  private static final Endpoint BACKEND = Endpoint.of("10.244.1.1", 8080);
  private static final int RANGE = 16;
  private static final long SECOND = 1_000_000_000L;
  private static final int HIGH = Tables.LOW_PORT + RANGE - 1;

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;

  @BeforeEach
  void serve() {
    tables.service(VIP, TCP, 1, 0, List.of(BACKEND));
    tables.service(VIP, UDP, 1, 0, List.of(BACKEND));
  }

  private static Endpoint client(int number) {
    return Endpoint.of("198.51.100.5", 10000 + number);
  }

  private Wire connect(int protocol, Endpoint client) {
    Wire in = programs.throughIngress(PacketBuilder.of(protocol, client, VIP).build());
    return programs.throughEgress(in.frame());
  }

  @Test
  void givesEachFlowItsOwnPortUntilNoneIsLeft() {
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, HIGH, 0);
    Set<Integer> ports = new HashSet<>();
    for (int i = 0; i < RANGE; i++) {
      ports.add(connect(TCP, client(i)).sourcePort());
    }
    assertThat(ports).hasSize(RANGE).allMatch(p -> p >= Tables.LOW_PORT && p <= HIGH);
    byte[] packet = PacketBuilder.tcp(client(RANGE), VIP, SYN).build();
    assertThat(programs.ingress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(tables.count(Counter.DROP_NO_MASQUERADE_PORT)).isEqualTo(1);
    assertThat(tables.hasConnection(Structs.CT_INGRESS, TCP, client(RANGE), VIP)).isFalse();
  }

  @Test
  void reusesThePortOfAClosedConnectionWhenNoneIsFree() {
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, HIGH, 0);
    List<Endpoint> used = new ArrayList<>();
    for (int i = 0; i < RANGE; i++) {
      used.add(connect(TCP, client(i)).from());
    }
    Endpoint node = used.get(3);
    Wire reply = programs.throughIngress(PacketBuilder.tcp(BACKEND, node, FIN | ACK).build());
    assertThat(reply.to()).isEqualTo(client(3));
    tables.age(Structs.CT_INGRESS, TCP, BACKEND, node, 5);
    assertThat(connect(TCP, client(RANGE)).from()).isEqualTo(node);
    assertThat(tables.hasConnection(Structs.CT_INGRESS, TCP, client(3), VIP)).isFalse();
    assertThat(programs.throughIngress(PacketBuilder.tcp(BACKEND, node, ACK).build()).to())
        .isEqualTo(client(RANGE));
  }

  @Test
  void reusesThePortOfAnIdleUdpFlow() {
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, Tables.LOW_PORT, 0);
    Endpoint node = connect(UDP, client(0)).from();
    byte[] other = PacketBuilder.udp(client(1), VIP).build();
    assertThat(programs.ingress(other).retval()).isEqualTo(PacketPrograms.DROP);
    tables.age(Structs.CT_INGRESS, UDP, BACKEND, node, 181);
    // Nothing has come back for long, but the client still sends.
    assertThat(programs.ingress(other).retval()).isEqualTo(PacketPrograms.DROP);
    tables.age(Structs.CT_EGRESS, UDP, client(0), BACKEND, 181);
    assertThat(connect(UDP, client(1)).from()).isEqualTo(node);
  }

  @Test
  void reusesThePortOfAnAnsweredQuestionWhenNoneIsFree() {
    tables.config(Tables.ACTIVE, Tables.LOW_PORT, Tables.LOW_PORT, 0);
    Endpoint node = connect(UDP, client(0)).from();
    byte[] other = PacketBuilder.udp(client(1), VIP).build();
    long now = Clock.bootNanos();
    long earlier = now - 5 * SECOND;
    seen(client(0), node, earlier, earlier);
    assertThat(programs.ingress(other).retval()).as("no answer").isEqualTo(PacketPrograms.DROP);
    programs.throughIngress(PacketBuilder.udp(BACKEND, node).build());
    seen(client(0), node, now + 60 * SECOND, now + 60 * SECOND);
    assertThat(programs.ingress(other).retval()).as("just now").isEqualTo(PacketPrograms.DROP);
    seen(client(0), node, earlier + 1, earlier);
    assertThat(programs.ingress(other).retval()).as("went on").isEqualTo(PacketPrograms.DROP);
    seen(client(0), node, earlier, earlier);
    assertThat(connect(UDP, client(1)).from()).isEqualTo(node);
    assertThat(tables.hasConnection(Structs.CT_INGRESS, UDP, client(0), VIP)).isFalse();
  }

  /** When the client sent last, and when the backend. */
  private void seen(Endpoint client, Endpoint node, long sent, long answered) {
    tables.seen(Structs.CT_EGRESS, UDP, client, BACKEND, sent);
    tables.seen(Structs.CT_INGRESS, UDP, BACKEND, node, answered);
  }

  @Test
  void leavesPortsOfTheHostAlone() throws Exception {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      sandbox.ip("addr", "add", "192.0.2.1/32", "dev", "lo");
      sandbox.inNamespace(
          () -> {
            try (DatagramSocket taken = new DatagramSocket(Tables.LOW_PORT);
                DatagramSocket also =
                    new DatagramSocket(Tables.LOW_PORT + 2, InetAddress.getByName("192.0.2.1"))) {
              tables.config(Tables.ACTIVE, Tables.LOW_PORT, Tables.LOW_PORT + 2, 0);
              assertThat(connect(UDP, client(0)).sourcePort()).isEqualTo(Tables.LOW_PORT + 1);
              byte[] next = PacketBuilder.udp(client(1), VIP).build();
              assertThat(programs.ingress(next).retval()).isEqualTo(PacketPrograms.DROP);
              assertThat(taken.isClosed() || also.isClosed()).isFalse();
            }
            return true;
          });
    }
  }

  @Test
  void dropsWhatItHasNoAddressFor() {
    tables.device(0, Address.ANY_V6, Address.ANY_V6);
    byte[] packet = PacketBuilder.tcp(client(0), VIP, SYN).build();
    assertThat(programs.ingress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    assertThat(tables.count(Counter.DROP_NO_MASQUERADE_PORT)).isEqualTo(1);
  }
}
