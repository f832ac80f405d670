// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The connections that ip_vs has, in the network namespace of the thread that asks. The kernel
 * gives them as text: protocol, client, virtual server and real server with addresses and ports in
 * hexadecimal, state, seconds left.
 */
public final class IpvsConnections {
  private static final Path LIST = Path.of("/proc/thread-self/net/ip_vs_conn");
  private static final int RADIX = 16;
  private static final int WORDS = 9;

  private IpvsConnections() {}

  /**
   * One connection.
   *
   * @param tuple from the client to the virtual server
   * @param state in the kernel's words, as ESTABLISHED
   * @param secondsLeft after how many seconds without a packet it is forgotten
   */
  public record Connection(
      FlowTuple tuple, InetAddress server, int serverPort, String state, int secondsLeft) {}

  /**
   * Reads all; none where the kernel has no ip_vs.
   *
   * @throws KernelException when the list is there and cannot be read
   */
  public static List<Connection> read() {
    if (!Files.exists(LIST)) {
      return List.of();
    }
    try (Stream<String> lines = Files.lines(LIST)) {
      return parse(lines);
    } catch (IOException | UncheckedIOException e) {
      throw new KernelException("read", LIST.toString(), Errno.EIO.number());
    }
  }

  /** Parses the list with its heading; templates, which have no client's port, are left out. */
  public static List<Connection> parse(Stream<String> lines) {
    List<Connection> found = new ArrayList<>();
    lines.skip(1).forEach(line -> connection(line).ifPresent(found::add));
    return found;
  }

  private static Optional<Connection> connection(String line) {
    String[] words = line.strip().split("\\s+", -1);
    int protocol = protocol(words[0]);
    // A fwmark template has "IP" for its protocol.
    if (words.length < WORDS || protocol == 0 || port(words[2]) == 0) {
      return Optional.empty();
    }
    FlowTuple tuple =
        new FlowTuple(
            address(words[1]), port(words[2]), address(words[3]), port(words[4]), protocol);
    return Optional.of(
        new Connection(
            tuple, address(words[5]), port(words[6]), words[7], Integer.parseInt(words[8])));
  }

  private static int protocol(String word) {
    return switch (word) {
      case "TCP" -> 6;
      case "UDP" -> 17;
      case "SCTP" -> 132;
      default -> 0;
    };
  }

  private static int port(String hex) {
    return Integer.parseInt(hex, RADIX);
  }

  private static InetAddress address(String text) {
    if (text.indexOf(':') >= 0) {
      return InetAddress.ofLiteral(text.replace("[", "").replace("]", ""));
    }
    try {
      int bits = Integer.parseUnsignedInt(text, RADIX);
      return InetAddress.getByAddress(ByteBuffer.allocate(Integer.BYTES).putInt(bits).array());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 bytes are always an address", e);
    }
  }
}
