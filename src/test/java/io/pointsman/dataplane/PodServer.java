// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.SocketWork;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * Answers on TCP and UDP at one address: a line to each question of one length, a datagram to each
 * datagram.
 */
public final class PodServer implements AutoCloseable {
  /** The longest question or answer in bytes. */
  private static final int LONGEST = 100;

  private final int length;
  private final Answers answers;
  private final ServerSocket tcp;
  private final DatagramSocket udp;

  /** What is answered. */
  @FunctionalInterface
  public interface Answers {
    /** To a question, by who asks. */
    String to(String question, InetSocketAddress asker);
  }

  /**
   * Listens.
   *
   * @param length bytes that a question over TCP has
   */
  public PodServer(KernelSandbox pod, String address, int port, int length, Answers answers) {
    this.length = length;
    this.answers = answers;
    InetSocketAddress at = new InetSocketAddress(InetAddress.ofLiteral(address), port);
    this.tcp =
        pod.inNamespace(
            () -> {
              ServerSocket bound = new ServerSocket();
              bound.bind(at, 1024);
              return bound;
            });
    this.udp = pod.inNamespace(() -> new DatagramSocket(at));
    SocketWork.start(this::accept);
    SocketWork.start(this::answerDatagrams);
  }

  private void accept() throws IOException {
    while (true) {
      Socket socket = tcp.accept();
      SocketWork.start(() -> talk(socket));
    }
  }

  private void talk(Socket socket) throws IOException {
    try (socket) {
      byte[] question = new byte[length];
      while (socket.getInputStream().readNBytes(question, 0, length) == length) {
        String answer = answer(question, length, socket.getRemoteSocketAddress());
        socket.getOutputStream().write((answer + "\n").getBytes(StandardCharsets.US_ASCII));
      }
    }
  }

  private void answerDatagrams() throws IOException {
    while (true) {
      DatagramPacket packet = new DatagramPacket(new byte[LONGEST], LONGEST);
      udp.receive(packet);
      String answer = answer(packet.getData(), packet.getLength(), packet.getSocketAddress());
      packet.setData(answer.getBytes(StandardCharsets.US_ASCII));
      udp.send(packet);
    }
  }

  private String answer(byte[] question, int size, SocketAddress asker) {
    String text = new String(question, 0, size, StandardCharsets.US_ASCII);
    return answers.to(text, (InetSocketAddress) asker);
  }

  @Override
  public void close() throws IOException {
    tcp.close();
    udp.close();
  }
}
