// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.TestRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Options, extension headers, fragments, lengths that lie, frames that are not for this host. */
class HeadersTest {
  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Tables tables = programs.tables;

  private static Endpoint client(boolean v4) {
    return Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
  }

  private static Endpoint vip(boolean v4) {
    return Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
  }

  private static Endpoint backend(boolean v4) {
    return Endpoint.of(v4 ? "10.244.1.9" : "fd00:244:1::9", 8080);
  }

  @BeforeEach
  void serve() {
    for (boolean v4 : new boolean[] {true, false}) {
      tables.service(vip(v4), TCP, v4 ? 1 : 2, 0, List.of(backend(v4)));
      tables.service(vip(v4), UDP, v4 ? 1 : 2, 0, List.of(backend(v4)));
    }
  }

  private void assertServed(byte[] packet) {
    Wire there = programs.throughIngress(packet);
    assertThat(there.to()).isEqualTo(backend(there.v4()));
    Wire out = programs.throughEgress(there.frame());
    assertThat(out.source())
        .isEqualTo(there.v4() ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6);
    assertThat(out.frame()).hasSameSizeAs(packet);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8, 20, 40})
  void seesBehindIpv4Options(int length) {
    byte[] options = new byte[length];
    Arrays.fill(options, (byte) 1);
    for (int protocol : new int[] {TCP, UDP}) {
      assertServed(
          PacketBuilder.of(protocol, client(true), vip(true)).options(options).payload(33).build());
    }
  }

  private static PacketBuilder v6(int protocol) {
    return PacketBuilder.of(protocol, client(false), vip(false)).payload(33);
  }

  private static byte[] options(int blocks) {
    byte[] rest = new byte[7 + 8 * blocks];
    rest[0] = (byte) blocks;
    rest[1] = 1;
    rest[2] = (byte) (4 + 8 * blocks - 2);
    return rest;
  }

  @Test
  void walksIpv6ExtensionHeaders() {
    for (int protocol : new int[] {TCP, UDP}) {
      assertServed(v6(protocol).header(0, options(0)).build());
      assertServed(v6(protocol).header(0, options(3)).header(60, options(1)).build());
      byte[] routed = {0, 4, 0, 0, 0, 0, 0};
      assertServed(v6(protocol).header(43, routed).header(60, options(0)).build());
      byte[] atomic = {0, 0, 0, 0, 0, 0, 9};
      assertServed(v6(protocol).header(44, atomic).build());
    }
  }

  @Test
  void leavesWhatItCannotSeeBehindToTheStack() {
    byte[] elsewhere = {0, 4, 1, 0, 0, 0, 0};
    programs.leavesAlone(v6(UDP).header(43, elsewhere).build());
    programs.leavesAlone(v6(UDP).header(51, new byte[11]).build());
    PacketBuilder many = v6(UDP);
    for (int i = 0; i < 9; i++) {
      many.header(60, options(0));
    }
    programs.leavesAlone(many.build());
    assertThat(tables.count(Counter.PASS_HEADERS)).isEqualTo(3);
    programs.leavesAlone(v6(UDP).header(50, new byte[15]).build());
    programs.leavesAlone(v6(UDP).header(59, new byte[7]).build());
    assertThat(tables.count(Counter.FLOW_NEW)).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void translatesEveryFragmentThatComesAfterTheFirst(boolean v4) {
    PacketBuilder datagram = PacketBuilder.udp(client(v4), vip(v4)).payload(3000);
    List<byte[]> translated = new ArrayList<>();
    for (byte[] fragment : datagram.fragments(1000, 77)) {
      Wire in = programs.throughIngress(fragment);
      assertThat(in.destination()).isEqualTo(backend(v4).address());
      translated.add(programs.throughEgress(in.frame()).frame());
    }
    byte[] data = join(translated);
    Wire first = Wire.sound(translated.getFirst());
    assertThat(first.to()).isEqualTo(backend(v4));
    byte[] pseudo =
        Checksum.pseudoHeader(
            new Endpoint(first.source(), 0).wire(), backend(v4).wire(), UDP, data.length);
    assertThat(Checksum.sum(pseudo, data)).as("checksum of the whole").isEqualTo(0xffff);
  }

  private static byte[] join(List<byte[]> fragments) {
    var all = new java.io.ByteArrayOutputStream();
    for (byte[] fragment : fragments) {
      Wire wire = Wire.sound(fragment);
      all.write(wire.frame(), wire.l4(), wire.frame().length - wire.l4());
    }
    return all.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsAndPassesAFragmentWithoutItsFirst(boolean v4) {
    List<byte[]> fragments = PacketBuilder.udp(client(v4), vip(v4)).payload(900).fragments(400, 78);
    programs.leavesAlone(fragments.get(1));
    programs.leavesAlone(fragments.get(2));
    assertThat(tables.count(Counter.PASS_FRAGMENT)).isEqualTo(2);
    assertThat(tables.count(Counter.FLOW_NEW)).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPacketCutShortIsNeverTranslated(boolean v4) {
    for (int protocol : new int[] {TCP, UDP}) {
      byte[] whole = PacketBuilder.of(protocol, client(v4), vip(v4)).payload(30).build();
      int shortest = v4 ? 34 : 54; // the kernel runs no program on less than an IP header
      for (int length = shortest; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        for (TestRun run : List.of(programs.ingress(cut), programs.egress(cut))) {
          assertThat(run.retval()).isIn(PacketPrograms.PASS, PacketPrograms.DROP);
          assertThat(run.data()).isEqualTo(cut);
        }
      }
    }
    assertThat(tables.count(Counter.DROP_MALFORMED)).isPositive();
    assertThat(tables.count(Counter.FLOW_NEW)).isZero();
  }

  @Test
  void leavesBytesBehindThePacketAlone() {
    byte[] packet = PacketBuilder.udp(client(true), vip(true)).payload(3).build();
    byte[] padded = Arrays.copyOf(packet, 60);
    TestRun run = programs.ingress(padded);
    assertThat(PacketPrograms.passed(run).to()).isEqualTo(backend(true));
    assertThat(run.data()).hasSize(60);
  }

  @Test
  void leavesOtherHostsFramesAndOtherProtocolsAlone() {
    byte[] stranger = {2, 9, 9, 9, 9, 9};
    byte[] mac = {2, 0, 0, 0, 0, 3};
    programs.leavesAlone(PacketBuilder.udp(client(true), vip(true)).macs(mac, stranger).build());
    byte[] arp = PacketBuilder.udp(client(true), vip(true)).build();
    arp[12] = 0x08;
    arp[13] = 0x06;
    programs.leavesAlone(arp);
    programs.leavesAlone(PacketBuilder.of(132, client(true), vip(true)).payload(30).build());
    programs.leavesAlone(PacketBuilder.of(47, client(false), vip(false)).payload(30).build());
  }
}
