// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.RtNetlink;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decisions that need the routes of the node: hairpins, and the address to masquerade with. */
class RoutedTest {
  private static final byte[] MAC = HexFormat.ofDelimiter(":").parseHex("02:00:00:00:00:01");
  private static final byte[] PEER = HexFormat.ofDelimiter(":").parseHex("02:00:00:00:00:02");

  private final KernelSandbox sandbox = new KernelSandbox();
  private final PacketPrograms programs = PacketPrograms.fresh();
  private int pods;
  private int uplink;

  @BeforeEach
  void routes() {
    sandbox.ipBatch(
        """
        link add pods type veth peer name pods1
        link add uplink type veth peer name uplink1
        link set pods address 02:00:00:00:00:01 up
        link set pods1 up
        link set uplink address 02:00:00:00:00:01 up
        link set uplink1 up
        addr add 10.244.0.1/24 dev pods
        addr add 192.0.2.1/24 dev uplink
        addr add fd00:244::1/64 dev pods nodad
        addr add 2001:db8::1/64 dev uplink nodad
        route add default via 192.0.2.254
        route add default via 2001:db8::fe
        """);
    sandbox.inNamespace(
        () -> {
          for (String file : List.of("ipv4/conf/all", "ipv6/conf/all")) {
            java.nio.file.Files.writeString(
                java.nio.file.Path.of("/proc/sys/net", file, "forwarding"), "1");
          }
          try (RtNetlink netlink = new RtNetlink()) {
            pods = index(netlink, "pods");
            uplink = index(netlink, "uplink");
          }
          return true;
        });
    programs.tables.device(pods, Address.parse("10.244.0.1"), Address.parse("fd00:244::1"));
    programs.tables.device(uplink, PacketPrograms.NODE_V4, PacketPrograms.NODE_V6);
  }

  private static int index(RtNetlink netlink, String name) {
    return netlink.devices().stream()
        .filter(device -> device.name().equals(name))
        .findFirst()
        .orElseThrow()
        .index();
  }

  @AfterEach
  void close() {
    sandbox.close();
  }

  private Wire send(int device, Endpoint from, Endpoint to) {
    byte[] packet = PacketBuilder.tcp(from, to, SYN).macs(PEER, MAC).build();
    return sandbox.inNamespace(() -> PacketPrograms.passed(programs.ingress(packet, device)));
  }

  private static Endpoint vip(boolean v4) {
    return Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
  }

  private static Endpoint pod(boolean v4, int number) {
    return Endpoint.of(v4 ? "10.244.0." + number : "fd00:244::" + number, 8080);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void masqueradesAPodThatMeetsItselfOrItsNeighbour(boolean v4) {
    for (int number = 5; number <= 6; number++) {
      programs.tables.service(vip(v4), TCP, number, Structs.BE_LOCAL, List.of(pod(v4, 5)));
      Endpoint client = pod(v4, number).withPort(33000);
      Wire there = send(pods, client, vip(v4));
      assertThat(there.to()).isEqualTo(pod(v4, 5));
      Wire out = programs.throughEgress(there.frame());
      assertThat(out.source()).isEqualTo(pod(v4, 1).address());
      byte[] reply = PacketBuilder.tcp(out.to(), out.from(), SYN | ACK).macs(PEER, MAC).build();
      Wire back = sandbox.inNamespace(() -> PacketPrograms.passed(programs.ingress(reply, pods)));
      assertThat(back.to()).isEqualTo(client);
      assertThat(programs.throughEgress(back.frame()).from()).isEqualTo(vip(v4));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void keepsTheClientTowardsAPodOfThisNode(boolean v4) {
    programs.tables.service(vip(v4), TCP, 1, Structs.BE_LOCAL, List.of(pod(v4, 5)));
    Endpoint client = Endpoint.of(v4 ? "198.51.100.5" : "2001:db8:5::5", 40123);
    Wire there = send(uplink, client, vip(v4));
    assertThat(programs.throughEgress(there.frame()).from()).isEqualTo(client);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void leavesByTheUplinkWithTheUplinksAddress(boolean v4) {
    Endpoint remote = Endpoint.of(v4 ? "10.244.7.7" : "fd00:247::7", 8080);
    programs.tables.service(vip(v4), TCP, 1, 0, List.of(remote));
    programs.tables.device(0, Address.ANY_V6, Address.ANY_V6);
    for (int device : new int[] {pods, uplink}) {
      Endpoint client = pod(v4, 9).withPort(30000 + device);
      Wire there = send(device, client, vip(v4));
      assertThat(programs.throughEgress(there.frame()).source())
          .isEqualTo(v4 ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6);
    }
  }

  @Test
  void fallsBackToTheNodesAddressWhereADeviceHasNone() {
    Endpoint remote = Endpoint.of("10.244.7.7", 8080);
    programs.tables.service(vip(true), TCP, 1, 0, List.of(remote));
    programs.tables.device(uplink, Address.ANY_V6, Address.ANY_V6);
    programs.tables.device(0, Address.parse("192.0.2.99"), Address.ANY_V6);
    Wire there = send(pods, pod(true, 9), vip(true));
    assertThat(programs.throughEgress(there.frame()).source())
        .isEqualTo(Address.parse("192.0.2.99"));
  }
}
