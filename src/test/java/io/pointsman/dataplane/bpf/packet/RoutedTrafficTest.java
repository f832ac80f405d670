// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.dataplane.bpf.packet.RoutedNetwork.Attachment;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/** Real traffic of a client outside, through a router that runs the programs, to a server. */
@Execution(ExecutionMode.CONCURRENT)
@ParameterizedClass
@CsvSource({"TCX, true", "TCX, false", "CLSACT, true"})
class RoutedTrafficTest {
  private static final int TIMEOUT_MILLIS = 5000;
  private static final int LARGE = 8 << 20;
  private static final int MANY = 400;

  private final boolean v4;
  private final RoutedNetwork network;
  private final Servers servers;
  private final Endpoint vip;
  private final Endpoint nodePort;
  private final Endpoint backend;

  RoutedTrafficTest(Attachment attachment, boolean v4) {
    this.v4 = v4;
    network = new RoutedNetwork(attachment);
    servers = new Servers(network.server);
    vip = Endpoint.of(v4 ? "10.96.0.10" : "fd00:96::10", 80);
    nodePort = Endpoint.of(v4 ? RoutedNetwork.ROUTER_V4 : RoutedNetwork.ROUTER_V6, 30080);
    backend = Endpoint.of(v4 ? RoutedNetwork.SERVER_V4 : RoutedNetwork.SERVER_V6, 8080);
  }

  @AfterEach
  void close() {
    servers.close();
    network.close();
  }

  private void serve(int flags) {
    Endpoint any = Endpoint.of(v4 ? "0.0.0.0" : "::", nodePort.port());
    for (int protocol : new int[] {TCP, UDP}) {
      network.tables.service(vip, protocol, protocol, flags, List.of(backend));
      network.tables.service(any, protocol, protocol, flags, List.of(backend));
    }
  }

  private static InetSocketAddress socketAddress(Endpoint to) throws IOException {
    return new InetSocketAddress(InetAddress.getByAddress(to.wire()), to.port());
  }

  private Socket connect(Endpoint to) {
    return network.client.inNamespace(
        () -> {
          Socket socket = new Socket();
          socket.setSoTimeout(TIMEOUT_MILLIS);
          socket.connect(socketAddress(to), TIMEOUT_MILLIS);
          return socket;
        });
  }

  private DatagramSocket datagrams() {
    return network.client.inNamespace(
        () -> {
          DatagramSocket socket = new DatagramSocket();
          socket.setSoTimeout(TIMEOUT_MILLIS);
          return socket;
        });
  }

  private String ask(Endpoint to) throws IOException {
    try (Socket socket = connect(to)) {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  private static byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private void assertEchoes(Endpoint to, int length) throws IOException {
    byte[] sent = randomBytes(length);
    try (Socket socket = connect(to)) {
      CompletableFuture<Void> writer =
          CompletableFuture.runAsync(
              () -> {
                try {
                  socket.getOutputStream().write(sent);
                  socket.shutdownOutput();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      InputStream in = socket.getInputStream();
      assertThat(in.readAllBytes()).isEqualTo(sent);
      writer.join();
    }
  }

  private void assertEchoesDatagram(Endpoint to, int length) throws IOException {
    byte[] sent = randomBytes(length);
    try (DatagramSocket socket = datagrams()) {
      socket.send(new DatagramPacket(sent, length, socketAddress(to)));
      DatagramPacket answer = new DatagramPacket(new byte[length + 1], length + 1);
      socket.receive(answer);
      assertThat(answer.getSocketAddress()).isEqualTo(socketAddress(to));
      assertThat(java.util.Arrays.copyOf(answer.getData(), answer.getLength())).isEqualTo(sent);
    }
  }

  @Test
  void servesWithMasquerade() throws IOException {
    serve(0);
    servers.named(backend.address().toString(), backend.port(), "it");
    String node = Endpoint.of(v4 ? "10.244.1.1" : "fd00:244:1::1", 0).address().toString();
    assertThat(ask(vip)).isEqualTo("it " + node);
    assertThat(ask(nodePort)).isEqualTo("it " + node);
  }

  @Test
  void servesWithTheClientsAddressWhereTheBackendIsLocal() throws IOException {
    serve(Structs.BE_LOCAL);
    servers.named(backend.address().toString(), backend.port(), "it");
    String client = v4 ? RoutedNetwork.CLIENT_V4 : RoutedNetwork.CLIENT_V6;
    String seen = Endpoint.of(client, 0).address().toString();
    assertThat(ask(vip)).isEqualTo("it " + seen);
    assertThat(ask(nodePort)).isEqualTo("it " + seen);
  }

  /** As Flannel has it between nodes; its ports and ours are of one range here, and meet often. */
  @Test
  void servesWhereTheStackMasqueradesOnceMore() throws IOException {
    serve(0);
    network.masqueradeTowardsServer(Tables.LOW_PORT, Tables.HIGH_PORT);
    servers.named(backend.address().toString(), backend.port(), "it");
    servers.echoDatagrams(backend.address().toString(), backend.port());
    String node = Endpoint.of(v4 ? "10.244.1.1" : "fd00:244:1::1", 0).address().toString();
    for (int i = 0; i < MANY; i++) {
      assertThat(ask(nodePort)).as("connection %d", i).isEqualTo("it " + node);
      assertEchoesDatagram(nodePort, 100);
    }
  }

  @Test
  void carriesLargeTransfersWithSegmentationOffload() throws IOException {
    servers.echo(backend.address().toString(), backend.port());
    for (int flags : new int[] {0, Structs.BE_LOCAL}) {
      serve(flags);
      assertEchoes(vip, LARGE);
      assertEchoes(nodePort, LARGE);
    }
  }

  @Test
  void carriesDatagramsWholeAndInFragments() throws IOException {
    servers.echoDatagrams(backend.address().toString(), backend.port());
    for (int flags : new int[] {0, Structs.BE_LOCAL}) {
      serve(flags);
      for (int length : new int[] {1, 1000, 8000, 40000}) {
        assertEchoesDatagram(vip, length);
        assertEchoesDatagram(nodePort, length);
      }
    }
  }

  @Test
  void findsThePathMtuBothWays() throws IOException {
    servers.echo(backend.address().toString(), backend.port());
    narrow(v4 ? "10.244.1.0/24" : "fd00:244:1::/64", "r1", "1400");
    narrow(v4 ? "198.51.100.0/24" : "2001:db8:5::/64", "r0", "1300");
    for (int flags : new int[] {0, Structs.BE_LOCAL}) {
      serve(flags);
      assertEchoes(vip, LARGE);
    }
    assertThat(network.client.ip("route", "get", vip.address().toString())).contains("mtu 1400");
    String node = v4 ? "10.244.1.1" : "fd00:244:1::1";
    String client = v4 ? RoutedNetwork.CLIENT_V4 : RoutedNetwork.CLIENT_V6;
    for (String peer : new String[] {node, client}) {
      assertThat(network.server.ip("route", "get", peer)).contains("mtu 1300");
    }
    // One for every path that was learnt; how many packets were under way is the hosts' matter.
    assertThat(network.tables.count(Counter.ICMP_TRANSLATED)).isGreaterThanOrEqualTo(3);
  }

  /** The router's way there takes no larger packets from now on. */
  private void narrow(String to, String device, String mtu) {
    network.router.ip(
        v4 ? "-4" : "-6",
        "route",
        "replace",
        to,
        "dev",
        device,
        "metric",
        v4 ? "0" : "256",
        "mtu",
        "lock",
        mtu);
  }

  @Test
  void refusesAtOnceWhereNobodyServes() throws IOException {
    for (int protocol : new int[] {TCP, UDP}) {
      network.tables.frontend(vip, protocol, 1, 0, Structs.RANDOM);
    }
    assertThatThrownBy(() -> connect(vip)).hasRootCauseInstanceOf(ConnectException.class);
    assertUnreachable();
    assertThat(network.tables.count(Counter.REJECTED)).isGreaterThanOrEqualTo(2);
  }

  @Test
  void tellsTheClientThatTheBackendHasNoSuchPort() throws IOException {
    serve(0);
    assertThatThrownBy(() -> connect(vip)).hasRootCauseInstanceOf(ConnectException.class);
    assertUnreachable();
    assertThat(network.tables.count(Counter.ICMP_TRANSLATED)).isPositive();
  }

  private void assertUnreachable() throws IOException {
    try (DatagramSocket socket = datagrams()) {
      socket.connect(socketAddress(vip));
      socket.send(new DatagramPacket(new byte[] {1, 2, 3}, 3));
      DatagramPacket answer = new DatagramPacket(new byte[10], 10);
      assertThatThrownBy(() -> socket.receive(answer)).isInstanceOf(PortUnreachableException.class);
    }
  }

  @Test
  void letsAClientMeetItselfThroughItsService() throws IOException {
    Endpoint self = Endpoint.of(v4 ? RoutedNetwork.CLIENT_V4 : RoutedNetwork.CLIENT_V6, 8080);
    network.tables.service(vip, TCP, 1, Structs.BE_LOCAL, List.of(self));
    try (Servers own = new Servers(network.client)) {
      own.named(self.address().toString(), self.port(), "me");
      String router = v4 ? RoutedNetwork.ROUTER_V4 : RoutedNetwork.ROUTER_V6;
      assertThat(ask(vip)).isEqualTo("me " + Endpoint.of(router, 0).address());
    }
  }

  @Test
  void keepsConnectionsOpenWhileDraining() throws IOException {
    serve(0);
    servers.echo(backend.address().toString(), backend.port());
    try (Socket socket = connect(vip)) {
      network.tables.phase(Tables.DRAINING);
      socket.getOutputStream().write("still here".getBytes(StandardCharsets.UTF_8));
      assertThat(socket.getInputStream().readNBytes(10)).asString().isEqualTo("still here");
    }
  }
}
