// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A node with three pods that serve, a pod that asks, and a client outside, each a namespace. Pods
 * tell every asker who they are and from which address and port they were asked.
 */
final class FlowNetwork implements AutoCloseable {
  static final int PORT = 8080;
  static final int PODS = 3;
  static final int SILENCE_SECONDS = 600;
  static final String NODE_V4 = "198.51.100.1";
  static final String NODE_V6 = "2001:db8:5::1";

  final KernelSandbox node = new KernelSandbox();
  final KernelSandbox outside = new KernelSandbox();
  final KernelSandbox asker = new KernelSandbox();
  private final List<KernelSandbox> pods = new ArrayList<>();
  private final List<AutoCloseable> open = new ArrayList<>();

  FlowNetwork() {
    node.cable(outside, "out", "198.51.100.", "2001:db8:5::");
    node.cable(asker, "asker", "10.244.9.", "fd00:244:9::");
    for (int i = 0; i < PODS; i++) {
      KernelSandbox pod = new KernelSandbox();
      pods.add(pod);
      node.cable(pod, "pod" + i, "10.244." + i + ".", "fd00:244:" + i + "::");
      serve(i, podV4(i));
      serve(i, podV6(i));
    }
    // Somewhere to go for what nobody takes.
    node.ip("route", "add", "default", "via", "198.51.100.5");
    node.ip("route", "add", "default", "via", "2001:db8:5::5");
    // A slow machine does not make conntrack forget a flow that is silent.
    set("net/netfilter/nf_conntrack_udp_timeout", SILENCE_SECONDS);
    set("net/netfilter/nf_conntrack_udp_timeout_stream", SILENCE_SECONDS);
    set("net/ipv4/ip_forward", 1);
    set("net/ipv6/conf/all/forwarding", 1);
  }

  static String podV4(int pod) {
    return "10.244." + pod + ".5";
  }

  static String podV6(int pod) {
    return "fd00:244:" + pod + "::5";
  }

  private void set(String setting, int value) {
    node.inNamespace(
        () -> Files.writeString(Path.of("/proc/sys", setting), Integer.toString(value)));
  }

  private void serve(int pod, String address) {
    InetSocketAddress at = new InetSocketAddress(InetAddress.ofLiteral(address), PORT);
    ServerSocket tcp =
        pods.get(pod)
            .inNamespace(
                () -> {
                  ServerSocket bound = new ServerSocket();
                  bound.bind(at, 1024);
                  return bound;
                });
    DatagramSocket udp = pods.get(pod).inNamespace(() -> new DatagramSocket(at));
    open.add(tcp);
    open.add(udp);
    start(
        () -> {
          while (true) {
            Socket socket = tcp.accept();
            start(() -> talk(pod, socket));
          }
        });
    start(
        () -> {
          while (true) {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            udp.receive(packet);
            String question = text(packet.getData(), packet.getLength());
            packet.setData((question + " " + name(pod, packet.getSocketAddress())).getBytes(ASCII));
            udp.send(packet);
          }
        });
  }

  /** Answers each line with the same and its name. */
  private static void talk(int pod, Socket socket) throws IOException {
    try (socket) {
      byte[] question = new byte[4];
      while (socket.getInputStream().readNBytes(question, 0, 4) == 4) {
        String answer = text(question, 4) + " " + name(pod, socket.getRemoteSocketAddress());
        socket.getOutputStream().write((answer + "\n").getBytes(ASCII));
      }
    }
  }

  private static String name(int pod, java.net.SocketAddress peer) {
    InetSocketAddress from = (InetSocketAddress) peer;
    return "pod %d asked by %s port %d"
        .formatted(pod, from.getAddress().getHostAddress(), from.getPort());
  }

  static final java.nio.charset.Charset ASCII = StandardCharsets.US_ASCII;

  static String text(byte[] bytes, int length) {
    return new String(bytes, 0, length, ASCII);
  }

  /** Runs something that ends when its sockets are closed. */
  private static void start(Work work) {
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                Thread.currentThread().interrupt(); // closed: whoever asked judges it
              }
            });
  }

  private interface Work {
    void run() throws IOException;
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    pods.forEach(KernelSandbox::close);
    asker.close();
    outside.close();
    node.close();
  }
}
