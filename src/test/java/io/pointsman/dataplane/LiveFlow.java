// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.KernelSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/** A connection, or a stream of datagrams from one port, that is asked again and again. */
abstract sealed class LiveFlow implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 5_000;
  private final String to;
  private String first = "";

  /** Who answered last: as the first one, unless something is wrong. */
  private String latest = "";

  private int asked;
  private boolean strayed;

  private LiveFlow(String to) {
    this.to = to;
  }

  static LiveFlow open(KernelSandbox from, Protocol protocol, String address, int port) {
    InetSocketAddress to = new InetSocketAddress(InetAddress.ofLiteral(address), port);
    return from.inNamespace(
        () ->
            switch (protocol) {
              case TCP -> new Connection(to);
              case UDP -> new Datagrams(to);
              case SCTP -> throw new IllegalArgumentException("not balanced by every dataplane");
            });
  }

  /** Who answers, and whom they saw. */
  abstract String ask(String question) throws IOException;

  /** Asks once more; says what is wrong, or nothing. */
  String check() {
    String question = "%04d".formatted(asked++ % 10_000);
    String answer;
    try {
      answer = ask(question);
    } catch (IOException e) {
      return "%s, question %s: %s after %s".formatted(to, question, e, first);
    }
    if (!answer.startsWith(question + " ")) {
      return "%s, question %s: answered %s".formatted(to, question, answer);
    }
    latest = answer.substring(question.length() + 1);
    if (first.isEmpty()) {
      first = latest;
    }
    return latest.equals(first)
        ? ""
        : "%s, question %s: %s became %s".formatted(to, question, first, latest);
  }

  /**
   * As {@link #check}, while the programs hand the flow to conntrack: datagrams may come from
   * another port for a moment, to the same backend (ADR 7), as long as the agent has no core. When
   * the flow has its port again it keeps it.
   */
  final String checkWhile(BooleanSupplier handedOver) {
    if (!(this instanceof Datagrams) || strayed) {
      return check();
    }
    boolean meanwhile;
    String failure;
    do {
      meanwhile = handedOver.getAsBoolean();
      failure = check();
      strayed |= strays();
    } while (meanwhile && strays());
    return failure;
  }

  /** Whether the pod that answered first saw another port. */
  private boolean strays() {
    return !latest.equals(first)
        && latest.startsWith(first.substring(0, first.lastIndexOf(' ') + 1));
  }

  /** The name of the pod that answered first. */
  String pod() {
    return first.substring(0, "pod 0".length());
  }

  @Override
  public abstract void close() throws IOException;

  private static final class Connection extends LiveFlow {
    private final Socket socket = new Socket();
    private final BufferedReader reader;

    Connection(InetSocketAddress to) throws IOException {
      super("TCP to " + to);
      socket.connect(to, PATIENCE_MILLIS);
      socket.setSoTimeout(PATIENCE_MILLIS);
      reader =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    }

    @Override
    String ask(String question) throws IOException {
      socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
      return String.valueOf(reader.readLine());
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static final class Datagrams extends LiveFlow {
    private final DatagramSocket socket = new DatagramSocket();
    private final DatagramPacket answer = new DatagramPacket(new byte[100], 100);

    Datagrams(InetSocketAddress to) throws IOException {
      super("UDP to " + to);
      socket.connect(to);
      socket.setSoTimeout(PATIENCE_MILLIS);
    }

    @Override
    String ask(String question) throws IOException {
      socket.send(
          new DatagramPacket(question.getBytes(StandardCharsets.US_ASCII), question.length()));
      try {
        socket.receive(answer);
      } catch (SocketTimeoutException e) {
        throw new IOException("lost", e);
      }
      return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
    }

    @Override
    public void close() {
      socket.close();
    }
  }
}
