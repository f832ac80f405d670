// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.kernel.KernelSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Servers that answer every line, or datagram, with their own address and the client's. */
final class NamedServers implements AutoCloseable {
  static final int PORT = 8080;

  private final List<AutoCloseable> sockets = new ArrayList<>();
  private volatile CountDownLatch datagramsFrom = new CountDownLatch(0);

  /** Listens on TCP and UDP at each address. */
  NamedServers(KernelSandbox place, List<String> addresses) {
    for (String address : addresses) {
      place.inNamespace(
          () -> {
            InetSocketAddress at = new InetSocketAddress(InetAddress.ofLiteral(address), PORT);
            ServerSocket server = new ServerSocket();
            server.bind(at);
            sockets.add(server);
            DatagramSocket datagrams = new DatagramSocket(at);
            sockets.add(datagrams);
            start(() -> accept(server, address));
            start(() -> answer(datagrams, address));
            return true;
          });
    }
  }

  private static void start(Runnable task) {
    Thread.ofPlatform().daemon().name("named-server").start(task);
  }

  private static void accept(ServerSocket server, String name) {
    try {
      while (true) {
        Socket socket = server.accept();
        start(() -> converse(socket, name));
      }
    } catch (IOException e) {
      return; // closed
    }
  }

  private static void converse(Socket socket, String name) {
    try (socket;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        OutputStream out = socket.getOutputStream()) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String answer = name + " " + socket.getInetAddress().getHostAddress() + " " + line + "\n";
        out.write(answer.getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      return; // the client has gone
    }
  }

  /** Datagrams get their answers when this has come to zero. */
  void answerDatagramsFrom(CountDownLatch moment) {
    datagramsFrom = moment;
  }

  private void answer(DatagramSocket socket, String name) {
    byte[] buffer = new byte[512];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        byte[] answer =
            (name + " " + packet.getAddress().getHostAddress() + " ")
                .getBytes(StandardCharsets.UTF_8);
        datagramsFrom.await();
        socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      }
    } catch (IOException e) {
      return; // closed
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    for (AutoCloseable socket : sockets) {
      try {
        socket.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A TCP connection of a client. */
  static final class Connection implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket = new Socket();
    private final BufferedReader in;

    /** Connects from a place; the exception is that of the connect. */
    Connection(KernelSandbox place, String address, int port) throws IOException {
      InetSocketAddress to = new InetSocketAddress(InetAddress.ofLiteral(address), port);
      try {
        place.inNamespace(
            () -> {
              try {
                socket.connect(to, TIMEOUT_MILLIS);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              return true;
            });
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      socket.setSoTimeout(TIMEOUT_MILLIS);
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Sends a line; the answer's words: who answered, whom it saw, what it got. */
    List<String> ask(String line) throws IOException {
      socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
      String answer = in.readLine();
      if (answer == null) {
        throw new IOException("the server has closed the connection");
      }
      return List.of(answer.split(" ", -1));
    }

    /** Ends by a reset, which ip_vs forgets after ten seconds. */
    @Override
    public void close() {
      try {
        socket.setSoLinger(true, 0);
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Sends a datagram from a new port and again when no answer comes; the answer's words. */
  static List<String> askByDatagram(KernelSandbox place, String address, int port) {
    return askByDatagram(place, 0, address, port);
  }

  /** The same from a port of one's own; 0 chooses a new one. */
  static List<String> askByDatagram(KernelSandbox place, int from, String address, int port) {
    return place.inNamespace(
        () -> {
          try (DatagramSocket socket = new DatagramSocket(null)) {
            socket.bind(new InetSocketAddress(from));
            socket.setSoTimeout(2_000);
            byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
            InetSocketAddress to = new InetSocketAddress(InetAddress.ofLiteral(address), port);
            DatagramPacket answer = new DatagramPacket(new byte[512], 512);
            for (int attempt = 0; ; attempt++) {
              // Connected, it takes answers from nobody else.
              socket.connect(to);
              socket.send(new DatagramPacket(hello, hello.length, to));
              try {
                socket.receive(answer);
                break;
              } catch (SocketTimeoutException e) {
                if (attempt == 4) {
                  throw e;
                }
              }
            }
            String text =
                new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8);
            return List.of(text.split(" ", -1));
          }
        });
  }
}
