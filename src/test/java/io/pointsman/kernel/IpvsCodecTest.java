// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The bytes of messages, laid out by hand from linux/ip_vs.h and linux/netlink.h. */
class IpvsCodecTest {
  private static final VirtualServer V4 = server("10.96.0.10", 53, 17);
  private static final VirtualServer V6 = server("fd00:10:96::a", 443, 6);
  private static final RealServer REAL = new RealServer(address("10.244.1.7"), 8080);
  private static final String NAME_V4 =
      "06000100 02000000 06000200 11000000 14000300 0a60000a 00000000 00000000 00000000"
          + "06000400 00350000";
  private static final String NAME_V6 =
      "06000100 0a000000 06000200 06000000 14000300 fd000010 00960000 00000000 0000000a"
          + "06000400 01bb0000";
  private static final String REAL_NAME =
      "14000100 0af40107 00000000 00000000 00000000 06000200 1f900000";

  @BeforeAll
  static void onlyInTheOrderOfTheTable() {
    Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
  }

  static Stream<Arguments> written() {
    return Stream.of(
        row("name", w -> IpvsCodec.writeName(w, V4), "30000180" + NAME_V4),
        row("name of IPv6", w -> IpvsCodec.writeName(w, V6), "30000180" + NAME_V6),
        row(
            "virtual server",
            w -> IpvsCodec.writeVirtualServer(w, new VirtualServerInfo(V4, "rr", 0, 0)),
            "54000180"
                + NAME_V4
                + "07000600 72720000 0c000700 00000000 ffffffff 08000800 00000000"
                + "08000900 ffffffff"),
        row(
            "virtual server of IPv6 with flags",
            w -> IpvsCodec.writeVirtualServer(w, new VirtualServerInfo(V6, "mh", 0x11, 10_800)),
            "54000180"
                + NAME_V6
                + "07000600 6d680000 0c000700 11000000 ffffffff 08000800 302a0000"
                + "08000900 80000000"),
        row(
            "real server's name",
            w -> IpvsCodec.writeNames(w, V4, REAL),
            "30000180" + NAME_V4 + "20000280" + REAL_NAME),
        row(
            "real server",
            w -> IpvsCodec.writeRealServer(w, V4, REAL, 1),
            "30000180"
                + NAME_V4
                + "40000280"
                + REAL_NAME
                + "08000300 00000000 08000400 01000000 08000500 00000000 08000600 00000000"),
        row(
            "timeouts",
            w -> IpvsCodec.writeTimeouts(w, new IpvsTimeouts(900, 120, 300)),
            "08000400 84030000 08000500 78000000 08000600 2c010000"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("written")
  void writes(String what, Consumer<NetlinkWriter> body, String wanted) {
    assertThat(hex(body)).isEqualTo(wanted.replace(" ", ""));
  }

  @Test
  void writesHeaders() {
    assertThat(
            hex(
                writer -> {
                  long at = writer.begin(0x1c, 5, 7);
                  writer.attribute(2, "IPVS");
                  writer.end(at);
                  writer.addFlags(at, 0x200);
                }))
        .isEqualTo("1c0000001c00050207000000000000000900020049505653" + "00000000");
  }

  @Test
  void readsAVirtualServer() {
    String attributes =
        NAME_V6
            + "08000600 77727200 0c000700 02000000 ffffffff 08000800 00000000 08000900 80000000";
    MemorySegment message = bytes("01010000" + nested(1, attributes));
    assertThat(IpvsCodec.readVirtualServer(message, GenericNetlink.HEADER))
        .isEqualTo(new VirtualServerInfo(V6, "wrr", VirtualServerInfo.HASHED, 0));
  }

  @Test
  void leavesOutServersOfMarks() {
    String attributes = "06000100 02000000 08000500 05000000 07000600 72720000";
    assertThat(
            IpvsCodec.readVirtualServer(
                bytes("01010000" + nested(1, attributes)), GenericNetlink.HEADER))
        .isNull();
  }

  @Test
  void readsARealServer() {
    String counted =
        REAL_NAME
            + "08000300 00010000 08000400 03000000 08000700 04000000 08000800 05000000"
            + "08000900 06000000";
    RealServerInfo wanted = new RealServerInfo(REAL, 3, RealServerInfo.MASQUERADE, 4, 5, 6);
    assertThat(IpvsCodec.readRealServer(bytes(nested(2, counted)), 0, false)).isEqualTo(wanted);
    assertThat(IpvsCodec.readRealServer(bytes(nested(2, counted + "06000b00 02000000")), 0, true))
        .isEqualTo(wanted);
    assertThat(wanted.connections()).isEqualTo(9);
  }

  @Test
  void namesWhatItIsAbout() {
    assertThat(V4).hasToString("UDP 10.96.0.10:53");
    assertThat(V6).hasToString("TCP [fd00:10:96:0:0:0:0:a]:443");
  }

  private static Arguments row(String what, Consumer<NetlinkWriter> body, String wanted) {
    return Arguments.of(what, body, wanted);
  }

  private static String nested(int type, String attributes) {
    String plain = attributes.replace(" ", "");
    int length = plain.length() / 2 + 4;
    return HexFormat.of().formatHex(new byte[] {(byte) length, 0, (byte) type, 0}) + plain;
  }

  private static String hex(Consumer<NetlinkWriter> body) {
    try (Arena arena = Arena.ofConfined()) {
      NetlinkWriter writer = new NetlinkWriter(arena.allocate(512, 8));
      body.accept(writer);
      return HexFormat.of().formatHex(writer.written().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private static MemorySegment bytes(String hex) {
    byte[] parsed = HexFormat.of().parseHex(hex.replace(" ", ""));
    MemorySegment segment = Arena.ofAuto().allocate(parsed.length, 8);
    MemorySegment.copy(parsed, 0, segment, ValueLayout.JAVA_BYTE, 0, parsed.length);
    return segment;
  }

  private static VirtualServer server(String address, int port, int protocol) {
    return new VirtualServer(address(address), port, protocol);
  }

  private static InetAddress address(String text) {
    return InetAddress.ofLiteral(text);
  }
}
