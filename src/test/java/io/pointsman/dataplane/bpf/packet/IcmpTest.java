// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Errors about translated packets, from each side, with each amount of the packet quoted. */
class IcmpTest {
  private final PacketPrograms programs = PacketPrograms.fresh();

  /** What is wrong, how much is quoted, and between whom. */
  record Case(boolean v4, int protocol, boolean masqueraded, int type, int code, int quote) {
    Endpoint client() {
      return Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
    }

    Endpoint vip() {
      return Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
    }

    Endpoint backend() {
      return Endpoint.of(v4 ? "10.244.1.9" : "fd00:244:1::9", 8080);
    }

    Endpoint router() {
      return Endpoint.of(v4 ? "203.0.113.254" : "2001:db8:ff::1", 0);
    }

    byte[] packet(Endpoint from, Endpoint to, int flags) {
      return PacketBuilder.of(protocol, from, to).flags(flags).payload(200).build();
    }

    byte[] error(Endpoint from, Endpoint to, byte[] quoted) {
      int rest = 1400; // the MTU, where the type has one
      return IcmpBuilder.error(from, to, type, code, rest, quoted, (v4 ? 20 : 40) + quote);
    }
  }

  static List<Case> cases() {
    List<Case> all = new ArrayList<>();
    for (int protocol : new int[] {TCP, UDP}) {
      for (boolean masqueraded : new boolean[] {true, false}) {
        for (int quote : new int[] {8, 9, 17, 18, 20, 64, 1000}) {
          for (int[] kind : new int[][] {{3, 3}, {3, 4}, {11, 0}, {12, 0}}) {
            all.add(new Case(true, protocol, masqueraded, kind[0], kind[1], quote));
          }
          for (int[] kind : new int[][] {{1, 4}, {2, 0}, {3, 0}, {4, 0}}) {
            all.add(new Case(false, protocol, masqueraded, kind[0], kind[1], quote));
          }
        }
      }
    }
    return all;
  }

  /** Opens the flow and returns its first packet as the backend's side sees it. */
  private Wire open(Case c) {
    int flags = c.masqueraded ? 0 : Structs.BE_LOCAL;
    programs.tables.service(c.vip(), c.protocol, 1, flags, List.of(c.backend()));
    Wire in = programs.throughIngress(c.packet(c.client(), c.vip(), SYN));
    return programs.throughEgress(in.frame());
  }

  private static Wire quoted(Case c, Wire error) {
    Wire quoted = Wire.read(pad(error.quoted(), c)).orElseThrow();
    if (c.quote >= 1000) {
      assertThat(quoted.isSound()).as("checksum of the quoted packet").isTrue();
    }
    return quoted;
  }

  /** A quotation is cut short; its IP header still says how long the packet was. */
  private static byte[] pad(byte[] frame, Case c) {
    return java.util.Arrays.copyOf(
        frame, Math.max(frame.length, c.packet(c.client(), c.vip(), SYN).length));
  }

  private static void assertError(Case c, Wire error) {
    assertThat(error.isIcmp()).isTrue();
    assertThat(error.icmpType()).isEqualTo(c.type);
    assertThat(error.icmpCode()).isEqualTo(c.code);
    assertThat(error.frame()[error.l4() + 6] << 8 | error.frame()[error.l4() + 7] & 0xff)
        .isEqualTo(1400);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anErrorOfTheBackendReachesTheClientAsTheServices(Case c) {
    Wire sent = open(c);
    Endpoint seen = sent.from();
    Wire in = programs.throughIngress(c.error(c.backend(), seen, sent.frame()));
    assertThat(in.destination()).isEqualTo(c.client().address());
    assertThat(quoted(c, in).from()).isEqualTo(c.client());
    assertThat(quoted(c, in).to()).isEqualTo(c.backend());
    Wire home = programs.throughEgress(in.frame());
    assertError(c, home);
    assertThat(home.source()).isEqualTo(c.vip().address());
    assertThat(home.destination()).isEqualTo(c.client().address());
    assertThat(quoted(c, home).from()).isEqualTo(c.client());
    assertThat(quoted(c, home).to()).isEqualTo(c.vip());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anErrorOfARouterBehindKeepsItsSender(Case c) {
    Wire sent = open(c);
    Wire in = programs.throughIngress(c.error(c.router(), sent.from(), sent.frame()));
    Wire home = programs.throughEgress(in.frame());
    assertThat(home.source()).isEqualTo(c.router().address());
    assertThat(quoted(c, home).from()).isEqualTo(c.client());
    assertThat(quoted(c, home).to()).isEqualTo(c.vip());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anErrorOfTheClientsSideReachesTheBackend(Case c) {
    Wire sent = open(c);
    byte[] reply = c.packet(c.backend(), sent.from(), SYN | ACK);
    Wire answer = programs.throughEgress(programs.throughIngress(reply).frame());
    Wire in = programs.throughIngress(c.error(c.router(), c.vip(), answer.frame()));
    assertThat(in.destination()).isEqualTo(c.backend().address());
    assertThat(quoted(c, in).from()).isEqualTo(c.backend());
    Wire out = programs.throughEgress(in.frame());
    assertError(c, out);
    assertThat(out.destination()).isEqualTo(c.backend().address());
    assertThat(out.source()).isEqualTo(c.masqueraded ? sent.source() : c.router().address());
    assertThat(quoted(c, out).from()).isEqualTo(c.backend());
    assertThat(quoted(c, out).to()).isEqualTo(sent.from());
  }

  @Test
  void leavesErrorsAboutOtherPacketsAlone() {
    for (Case c : cases()) {
      Wire sent = open(c);
      byte[] other = c.packet(sent.from(), c.backend().withPort(9999), SYN);
      programs.leavesAlone(c.error(c.backend(), sent.from(), other));
      // Sent to somebody who did not send the packet that it quotes.
      programs.leavesAlone(c.error(c.backend(), c.router(), sent.frame()));
      Endpoint client = c.client();
      programs.leavesAlone(
          IcmpBuilder.error(c.router(), client, c.v4 ? 8 : 128, 0, 0, sent.frame(), 64));
    }
  }

  @Test
  void keepsAZeroChecksumInTheQuotation() {
    Case c = new Case(true, UDP, true, 3, 3, 64);
    open(c);
    byte[] packet = PacketBuilder.udp(c.client(), c.vip()).payload(50).zeroChecksum().build();
    Wire sent = programs.throughEgress(programs.throughIngress(packet).frame());
    Wire in = programs.throughIngress(c.error(c.backend(), sent.from(), sent.frame()));
    Wire home = programs.throughEgress(in.frame());
    assertThat(Wire.read(home.quoted()).orElseThrow().checksum()).isZero();
  }
}
