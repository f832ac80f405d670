// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind of frontend in both families and protocols, there and back. */
class TranslationTest {
  private static final int PAYLOAD = 321;

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;

  record Case(
      String name, int protocol, Endpoint client, Endpoint frontend, Endpoint backend, int flags) {
    boolean masqueraded() {
      return flags == 0;
    }

    @Override
    public String toString() {
      return "%s %s to a %s backend"
          .formatted(name, protocol == TCP ? "TCP" : "UDP", masqueraded() ? "remote" : "local");
    }
  }

  static List<Case> cases() {
    List<Case> all = new ArrayList<>();
    for (int protocol : new int[] {TCP, UDP}) {
      for (int flags : new int[] {0, Structs.BE_LOCAL}) {
        for (String vip :
            List.of(
                "ClusterIP 10.96.0.10",
                "LoadBalancer 203.0.113.9",
                "externalIP 198.51.100.77",
                "NodePort " + PacketPrograms.NODE_V4)) {
          all.add(aCase(vip, protocol, "198.51.100.5", "10.244.1.9", flags));
        }
        for (String vip :
            List.of(
                "ClusterIP fd00:96::10",
                "LoadBalancer 2001:db8:9::9",
                "externalIP 2001:db8:8::77",
                "NodePort " + PacketPrograms.NODE_V6)) {
          all.add(aCase(vip, protocol, "2001:db8:5::5", "fd00:244:1::9", flags));
        }
      }
    }
    return all;
  }

  private static Case aCase(String vip, int protocol, String client, String backend, int flags) {
    String[] parts = vip.split(" ");
    return new Case(
        vip,
        protocol,
        Endpoint.of(client, 40123),
        Endpoint.of(parts[1], parts[0].equals("NodePort") ? 30080 : 80),
        Endpoint.of(backend, 8080),
        flags);
  }

  private void serve(Case c) {
    boolean nodePort = c.name.startsWith("NodePort");
    Address any = c.frontend.isV4() ? Address.ANY_V4 : Address.ANY_V6;
    Endpoint key = nodePort ? new Endpoint(any, c.frontend.port()) : c.frontend;
    tables.service(key, c.protocol, 1, c.flags, List.of(c.backend));
  }

  private static byte[] packet(Case c, Endpoint from, Endpoint to, int flags) {
    return PacketBuilder.of(c.protocol, from, to).flags(flags).payload(PAYLOAD).build();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void goesToTheBackendAndBack(Case c) {
    serve(c);
    Wire there = programs.throughIngress(packet(c, c.client, c.frontend, SYN));
    assertThat(there.from()).isEqualTo(c.client);
    assertThat(there.to()).isEqualTo(c.backend);
    Wire out = programs.throughEgress(there.frame());
    assertThat(out.to()).isEqualTo(c.backend);
    if (c.masqueraded()) {
      Address node = c.client.isV4() ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6;
      assertThat(out.source()).isEqualTo(node);
      assertThat(out.sourcePort()).isBetween(Tables.LOW_PORT, Tables.HIGH_PORT);
    } else {
      assertThat(out.from()).isEqualTo(c.client);
    }
    Wire back = programs.throughIngress(packet(c, out.to(), out.from(), SYN | ACK));
    assertThat(back.from()).isEqualTo(c.backend);
    assertThat(back.to()).isEqualTo(c.client);
    Wire home = programs.throughEgress(back.frame());
    assertThat(home.from()).isEqualTo(c.frontend);
    assertThat(home.to()).isEqualTo(c.client);
    byte[] payload = PacketBuilder.udp(c.client, c.frontend).payload(PAYLOAD).build();
    assertThat(home.payload()).isEqualTo(Wire.sound(payload).payload());
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(1);
    assertThat(tables.count(Counter.FLOW_MASQUERADED)).isEqualTo(c.masqueraded() ? 1 : 0);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void laterPacketsFollowTheFirst(Case c) {
    serve(c);
    tables.backends(1, c.flags, List.of(c.backend, c.backend.withPort(8081)));
    Wire first = programs.throughIngress(packet(c, c.client, c.frontend, SYN));
    for (int i = 0; i < 5; i++) {
      Wire next = programs.throughIngress(packet(c, c.client, c.frontend, ACK));
      assertThat(next.to()).isEqualTo(first.to());
      Wire again = programs.throughIngress(packet(c, c.client, c.frontend, SYN));
      assertThat(again.to()).isEqualTo(first.to());
    }
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(1);
  }

  @Test
  void keepsAZeroUdpChecksum() {
    int port = 20000;
    for (Case c : cases()) {
      if (c.protocol == UDP) {
        serve(c);
        Endpoint client = c.client.withPort(port++); // one tuple has one frontend at a time
        byte[] packet =
            PacketBuilder.udp(client, c.frontend).payload(PAYLOAD).zeroChecksum().build();
        Wire there = programs.throughIngress(packet);
        assertThat(there.to()).isEqualTo(c.backend);
        assertThat(there.checksum()).isZero();
        assertThat(programs.throughEgress(there.frame()).checksum()).isZero();
      }
    }
  }

  @Test
  void writesAUdpChecksumThatBecomesZeroAsAllOnes() {
    Case c = cases().stream().filter(x -> x.protocol == UDP).findFirst().orElseThrow();
    serve(c);
    int allOnes = 0;
    for (int i = 0; i < 65536; i++) {
      byte[] payload = {(byte) (i >> 8), (byte) i};
      byte[] packet = PacketBuilder.udp(c.client, c.frontend).payload(payload).build();
      Wire there = programs.throughIngress(packet);
      assertThat(there.checksum()).isNotZero();
      allOnes += there.checksum() == 0xffff ? 1 : 0;
    }
    assertThat(allOnes).isPositive();
  }

  @Test
  void leavesWhatIsNotAFrontendAlone() {
    cases().forEach(this::serve);
    for (Case c : cases()) {
      programs.leavesAlone(packet(c, c.client, c.frontend.withPort(81), SYN));
      programs.leavesAlone(packet(c, c.client, c.backend, SYN));
      Endpoint wildcard = Endpoint.of(c.client.isV4() ? "0.0.0.0" : "::", 30080);
      programs.leavesAlone(packet(c, c.client, wildcard, SYN));
      Endpoint elsewhere = Endpoint.of(c.client.isV4() ? "192.0.2.200" : "2001:db8::200", 30080);
      programs.leavesAlone(packet(c, c.client, elsewhere, SYN));
    }
    assertThat(tables.count(Counter.FLOW_NEW)).isZero();
  }
}
