// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.SocketWork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Servers inside a namespace: TCP and UDP echo, and one that says who it is. */
final class Servers implements AutoCloseable {
  private static final int MAX_DATAGRAM = 65535;

  private final KernelSandbox namespace;
  private final List<AutoCloseable> open = new ArrayList<>();

  Servers(KernelSandbox namespace) {
    this.namespace = namespace;
  }

  /** Sends back all that comes, over TCP. */
  void echo(String address, int port) {
    serve(address, port, socket -> socket.getInputStream().transferTo(socket.getOutputStream()));
  }

  /** Says its name and the client's address to everybody who connects. */
  void named(String address, int port, String name) {
    serve(
        address,
        port,
        socket -> {
          String peer = Address.of(socket.getInetAddress().getAddress()).toString();
          socket
              .getOutputStream()
              .write((name + " " + peer + "\n").getBytes(StandardCharsets.US_ASCII));
        });
  }

  /** Sends back each datagram. */
  void echoDatagrams(String address, int port) {
    DatagramSocket socket =
        namespace.inNamespace(
            () -> new DatagramSocket(new InetSocketAddress(InetAddress.getByName(address), port)));
    open.add(socket);
    SocketWork.start(
        () -> {
          DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
          while (true) {
            packet.setLength(MAX_DATAGRAM);
            socket.receive(packet);
            socket.send(packet);
          }
        });
  }

  /** Says its name to each sender of a datagram. */
  void namedDatagrams(String address, int port, String name) {
    DatagramSocket socket =
        namespace.inNamespace(
            () -> new DatagramSocket(new InetSocketAddress(InetAddress.getByName(address), port)));
    open.add(socket);
    SocketWork.start(
        () -> {
          while (true) {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            socket.receive(packet);
            packet.setData(name.getBytes(StandardCharsets.US_ASCII));
            socket.send(packet);
          }
        });
  }

  private void serve(String address, int port, Conversation conversation) {
    ServerSocket server =
        namespace.inNamespace(
            () -> {
              ServerSocket bound = new ServerSocket();
              bound.bind(new InetSocketAddress(InetAddress.getByName(address), port), 1024);
              return bound;
            });
    open.add(server);
    SocketWork.start(
        () -> {
          while (true) {
            Socket socket = server.accept();
            SocketWork.start(
                () -> {
                  try (socket) {
                    conversation.with(socket);
                  }
                });
          }
        });
  }

  private interface Conversation {
    void with(Socket socket) throws IOException;
  }

  @Override
  public void close() {
    for (AutoCloseable socket : open) {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
