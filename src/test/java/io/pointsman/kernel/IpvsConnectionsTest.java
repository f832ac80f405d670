// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.IpvsConnections.Connection;
import java.net.InetAddress;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The kernel's list of what ip_vs has, as it was seen. */
class IpvsConnectionsTest {
  private static final String HEADING =
      "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData";

  @Test
  void readsBothFamiliesAndLeavesTemplatesOut() {
    Stream<String> lines =
        Stream.of(
            HEADING,
            "UDP C6336401 9C40 0A60000A 0035 0AF4000B 1F90 UDP             299",
            "UDP C6336401 0000 0A60000A 0035 0AF4000B 1F90 NONE            299",
            "IP  C6336401 0000 00000001 0000 0AF4000B 1F90 NONE            299",
            "TCP 2001:0db8:0007:0000:0000:0000:0000:0001 9C44"
                + " fd00:0010:0096:0000:0000:0000:0000:000a 0050"
                + " fd00:0244:0000:0000:0000:0000:0000:0010 1F90 ESTABLISHED     899");
    assertThat(IpvsConnections.parse(lines))
        .containsExactly(
            new Connection(
                tuple("198.51.100.1", 40_000, "10.96.0.10", 53, 17),
                InetAddress.ofLiteral("10.244.0.11"),
                8080,
                "UDP",
                299),
            new Connection(
                tuple("2001:db8:7::1", 40_004, "fd00:10:96::a", 80, 6),
                InetAddress.ofLiteral("fd00:244::10"),
                8080,
                "ESTABLISHED",
                899));
  }

  @Test
  void readsAnEmptyList() {
    assertThat(IpvsConnections.parse(Stream.of(HEADING))).isEmpty();
    assertThat(IpvsConnections.parse(Stream.of())).isEmpty();
  }

  private static FlowTuple tuple(String from, int port, String to, int toPort, int protocol) {
    return new FlowTuple(
        InetAddress.ofLiteral(from), port, InetAddress.ofLiteral(to), toPort, protocol);
  }
}
