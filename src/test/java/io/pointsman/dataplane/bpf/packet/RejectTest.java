// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.TestRun;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A frontend without backends answers "port unreachable". */
class RejectTest {
  private static final byte[] CLIENT_MAC = {2, 0, 0, 0, 0, 5};

  private final PacketPrograms programs = PacketPrograms.fresh();

  private static Endpoint client(boolean v4) {
    return Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
  }

  private Endpoint emptyFrontend(boolean v4, int protocol) {
    Endpoint vip = Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
    programs.tables.frontend(vip, protocol, 1, 0, Structs.RANDOM);
    return vip;
  }

  @ParameterizedTest
  @CsvSource({
    "true, 6, 0",
    "true, 6, 3",
    "true, 17, 0",
    "true, 17, 1",
    "true, 17, 63",
    "true, 17, 520",
    "true, 17, 1400",
    "false, 6, 0",
    "false, 6, 5",
    "false, 17, 0",
    "false, 17, 2",
    "false, 17, 64",
    "false, 17, 1184",
    "false, 17, 1400"
  })
  void answersWithAWellFormedError(boolean v4, int protocol, int payload) {
    Endpoint vip = emptyFrontend(v4, protocol);
    byte[] packet =
        PacketBuilder.of(protocol, client(v4), vip)
            .payload(payload)
            .macs(CLIENT_MAC, new byte[6])
            .build();
    TestRun run = programs.ingress(packet);
    assertThat(run.retval()).isEqualTo(PacketPrograms.REDIRECT);
    Wire error = Wire.sound(run.data());
    assertThat(error.frame()).as("nothing behind the packet").hasSameSizeAs(run.data());
    assertThat(Arrays.copyOf(run.data(), 6)).isEqualTo(CLIENT_MAC);
    assertThat(Arrays.copyOfRange(run.data(), 6, 12)).isEqualTo(new byte[6]);
    assertIsPortUnreachable(error, v4, vip);
    byte[] quoted = Arrays.copyOfRange(error.quoted(), 14, error.quoted().length);
    assertThat(quoted.length).isGreaterThanOrEqualTo((v4 ? 20 : 40) + 8);
    assertThat(packet).containsSequence(quoted);
    assertThat(programs.tables.count(Counter.REJECTED)).isEqualTo(1);
  }

  private static void assertIsPortUnreachable(Wire error, boolean v4, Endpoint vip) {
    assertThat(error.isIcmp()).isTrue();
    assertThat(error.source()).isEqualTo(vip.address());
    assertThat(error.destination()).isEqualTo(client(v4).address());
    assertThat(error.icmpType()).isEqualTo(v4 ? 3 : 1);
    assertThat(error.icmpCode()).isEqualTo(v4 ? 3 : 4);
    assertThat(error.frame().length - 14).isLessThanOrEqualTo(v4 ? 576 : 1280);
  }

  @Test
  void foreseesAChecksumThatTheDeviceWillMake() {
    Endpoint vip = emptyFrontend(true, UDP);
    byte[] packet = PacketBuilder.udp(client(true), vip).payload(100).build();
    byte[] pseudo = Checksum.pseudoHeader(client(true).wire(), vip.wire(), UDP, 108);
    int partial = Checksum.sum(pseudo);
    packet[40] = (byte) (partial >> 8);
    packet[41] = (byte) partial;
    byte[] answer = programs.ingress(packet).data();
    // What a device makes of CHECKSUM_PARTIAL: the sum from the quoted UDP header to the end.
    int at = 14 + 28 + 20;
    int made = Checksum.of(Arrays.copyOfRange(answer, at, answer.length));
    answer[at + 6] = (byte) (made >> 8);
    answer[at + 7] = (byte) made;
    assertThat(Wire.sound(answer).isIcmp()).isTrue();
  }

  @Test
  void answersAFirstFragmentAndNoLaterOne() {
    Endpoint vip = emptyFrontend(true, UDP);
    var fragments = PacketBuilder.udp(client(true), vip).payload(600).fragments(400, 3);
    assertThat(programs.ingress(fragments.get(0)).retval()).isEqualTo(PacketPrograms.REDIRECT);
    assertThat(programs.ingress(fragments.get(1)).retval()).isEqualTo(PacketPrograms.PASS);
  }

  @Test
  void dropsInsteadOfAnsweringNobody() {
    for (String from : new String[] {"0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255"}) {
      Endpoint vip = emptyFrontend(true, UDP);
      byte[] packet = PacketBuilder.udp(Endpoint.of(from, 5), vip).build();
      assertThat(programs.ingress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    }
    for (String from : new String[] {"::", "::1", "ff02::1"}) {
      Endpoint vip = emptyFrontend(false, UDP);
      byte[] packet = PacketBuilder.udp(Endpoint.of(from, 5), vip).build();
      assertThat(programs.ingress(packet).retval()).isEqualTo(PacketPrograms.DROP);
    }
  }

  @Test
  void leavesConnectionsItDoesNotKnowToTheStack() {
    Endpoint vip = emptyFrontend(true, TCP);
    programs.leavesAlone(PacketBuilder.tcp(client(true), vip, ACK).build());
    programs.tables.phase(Tables.DRAINING);
    programs.leavesAlone(PacketBuilder.tcp(client(true), vip, SYN).build());
  }
}
