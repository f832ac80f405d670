// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.PodServer;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A node with two pods and a client outside, each a namespace; the pods say who they are. */
final class PodNetwork implements AutoCloseable {
  static final int PORT = 8080;
  private static final int PATIENCE_MILLIS = 3_000;

  final KernelSandbox node = new KernelSandbox();
  final KernelSandbox client = new KernelSandbox();
  final List<KernelSandbox> pods = List.of(new KernelSandbox(), new KernelSandbox());
  private final List<AutoCloseable> open = new ArrayList<>();

  PodNetwork() {
    node.cable(client, "to1", "198.51.100.", "2001:db8:5::");
    node.cable(pods.get(0), "to2", "10.244.0.", "fd00:244:0::");
    node.cable(pods.get(1), "to3", "10.244.1.", "fd00:244:1::");
    // A way out, as every node has one: what nobody takes is forwarded, and rejected on its way.
    node.ip("route", "add", "default", "via", podV4(1));
    node.ip("route", "add", "default", "via", podV6(1));
    node.inNamespace(
        () -> {
          Files.writeString(Path.of("/proc/sys/net/ipv4/ip_forward"), "1");
          Files.writeString(Path.of("/proc/sys/net/ipv6/conf/all/forwarding"), "1");
          return true;
        });
    for (int i = 0; i < pods.size(); i++) {
      serve(i, podV4(i));
      serve(i, podV6(i));
    }
  }

  static String podV4(int pod) {
    return "10.244." + pod + ".5";
  }

  static String podV6(int pod) {
    return "fd00:244:" + pod + "::5";
  }

  /** Answers each byte, or datagram, with its name and who it was asked by. */
  private void serve(int pod, String address) {
    open.add(
        new PodServer(
            pods.get(pod),
            address,
            PORT,
            1,
            (question, asker) ->
                "pod " + pod + " asked by " + asker.getAddress().getHostAddress()));
  }

  /** Connects from a namespace. */
  Socket connect(KernelSandbox from, String address, int port) {
    Socket socket =
        from.inNamespace(
            () -> {
              Socket connected = new Socket();
              connected.connect(
                  new InetSocketAddress(InetAddress.ofLiteral(address), port), PATIENCE_MILLIS);
              connected.setSoTimeout(PATIENCE_MILLIS);
              return connected;
            });
    open.add(socket);
    return socket;
  }

  /** Who answers on a connection. */
  static String ask(Socket socket) throws IOException {
    socket.getOutputStream().write(1);
    byte[] answer = new byte[100];
    int size = socket.getInputStream().read(answer);
    return new String(answer, 0, Math.max(0, size), StandardCharsets.US_ASCII).strip();
  }

  /** Who answers over TCP. */
  String ask(KernelSandbox from, String address, int port) throws IOException {
    try (Socket socket = connect(from, address, port)) {
      return ask(socket);
    }
  }

  /** Who answers to a datagram. */
  String askByDatagram(KernelSandbox from, String address, int port) {
    try (DatagramSocket socket = datagrams(from, address, port)) {
      return ask(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A socket that keeps its port, whoever answers. */
  DatagramSocket datagrams(KernelSandbox from, String address, int port) {
    return from.inNamespace(
        () -> {
          DatagramSocket socket = new DatagramSocket();
          socket.setSoTimeout(PATIENCE_MILLIS);
          socket.connect(InetAddress.ofLiteral(address), port);
          return socket;
        });
  }

  /** One datagram and its answer. */
  static String ask(DatagramSocket socket) throws IOException {
    socket.send(new DatagramPacket(new byte[1], 1));
    DatagramPacket answer = new DatagramPacket(new byte[100], 100);
    socket.receive(answer);
    return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    pods.forEach(KernelSandbox::close);
    client.close();
    node.close();
  }
}
