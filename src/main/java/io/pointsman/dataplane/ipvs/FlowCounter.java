// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.VirtualServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Counts the connections of ip_vs that somebody may still be using, in the list that the kernel
 * gives as text: protocol, client, virtual server and real server in hexadecimal, state.
 */
final class FlowCounter {
  /** Of the network namespace of the thread that asks. */
  private static final Path CONNECTIONS = Path.of("/proc/thread-self/net/ip_vs_conn");

  private static final Set<String> ENDED = Set.of("TIME_WAIT", "CLOSE", "LAST_ACK");
  private static final String TEMPLATE_PORT = "0000";
  private static final int RADIX = 16;
  private static final int PROTOCOL = 0;
  private static final int CLIENT_PORT = 2;
  private static final int ADDRESS = 3;
  private static final int PORT = 4;
  private static final int STATE = 7;

  private FlowCounter() {}

  /** Those through virtual servers that the predicate knows; 0 where the kernel has no ip_vs. */
  static long count(Predicate<VirtualServer> ours) {
    if (!Files.exists(CONNECTIONS)) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(CONNECTIONS)) {
      return count(lines, ours);
    } catch (IOException e) {
      throw new DataplaneException("read " + CONNECTIONS, e);
    }
  }

  static long count(Stream<String> lines, Predicate<VirtualServer> ours) {
    return lines.skip(1).map(line -> line.split("\\s+", -1)).filter(w -> counts(w, ours)).count();
  }

  private static boolean counts(String[] words, Predicate<VirtualServer> ours) {
    if (words.length <= STATE
        || words[CLIENT_PORT].equals(TEMPLATE_PORT)
        || ENDED.contains(words[STATE])) {
      return false;
    }
    int protocol =
        switch (words[PROTOCOL]) {
          case "TCP" -> 6;
          case "UDP" -> 17;
          case "SCTP" -> 132;
          default -> 0;
        };
    Address address = address(words[ADDRESS]);
    return ours.test(Addresses.virtual(address, Integer.parseInt(words[PORT], RADIX), protocol));
  }

  private static Address address(String hex) {
    return hex.indexOf(':') < 0
        ? Address.ofV4(Integer.parseUnsignedInt(hex, RADIX))
        : Address.parse(hex.replace("[", "").replace("]", ""));
  }
}
