// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.bpf.packet.RoutedNetwork.Attachment;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.RtNetlink;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Packets of a device that has no Ethernet header, among them some that look as if they had one.
 */
class TunnelTest {
  // 8.0.x.y in bytes 12 to 15 reads like the type of an Ethernet frame; 69 is what IPv4 begins
  // with.
  @ParameterizedTest
  @CsvSource({
    "10.9.0.2, 10.96.0.10, 10.244.1.9",
    "8.0.69.9, 10.96.0.10, 10.244.1.9",
    "8.0.64.9, 10.96.0.10, 10.244.1.9",
    "fd00:9::2, fd00:96::10, fd00:244:1::9",
    "0a00:0:86dd:6000::2, fd00:96::10, fd00:244:1::9"
  })
  void translatesWhatHasNoEthernetHeader(String from, String to, String at) {
    try (RoutedNetwork network = new RoutedNetwork(Attachment.TCX);
        Servers servers = new Servers(network.server)) {
      servers.echoDatagrams(at, 8080);
      Endpoint vip = Endpoint.of(to, 53);
      network.tables.service(vip, PacketBuilder.UDP, 1, 0, List.of(Endpoint.of(at, 8080)));
      attachTunnelTo(network, from);
      String answer =
          Commands.run(
              "ip",
              "netns",
              "exec",
              network.router.namespace(),
              "python3",
              "src/test/resources/bpf/tun_echo.py",
              "tun0",
              from,
              "4000",
              to,
              "53",
              "hello");
      assertThat(answer.strip()).isEqualTo(to + " 53 hello right");
      assertThat(network.tables.count(Counter.FLOW_MASQUERADED)).isEqualTo(1);
    }
  }

  private static void attachTunnelTo(RoutedNetwork network, String peer) {
    network.router.ip("tuntap", "add", "dev", "tun0", "mode", "tun");
    network.router.ip("link", "set", "tun0", "up");
    network.router.ip("route", "add", peer, "dev", "tun0");
    network.router.inNamespace(
        () -> {
          try (RtNetlink netlink = new RtNetlink()) {
            netlink.devices().stream()
                .filter(device -> device.name().equals("tun0"))
                .forEach(device -> network.attach(device.index()));
          }
          return true;
        });
  }
}
