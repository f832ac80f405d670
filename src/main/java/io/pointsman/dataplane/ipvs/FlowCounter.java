// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.IpvsConnections;
import io.pointsman.kernel.IpvsConnections.Connection;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.VirtualServer;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Counts the connections of ip_vs that somebody may still be using. */
final class FlowCounter {
  private static final Set<String> ENDED = Set.of("TIME_WAIT", "CLOSE", "LAST_ACK");

  private FlowCounter() {}

  /** Those through virtual servers that the predicate knows; 0 where the kernel has no ip_vs. */
  static long count(Predicate<VirtualServer> ours) {
    try {
      return count(IpvsConnections.read(), ours);
    } catch (KernelException e) {
      throw new DataplaneException("count connections of ip_vs", e);
    }
  }

  static long count(List<Connection> connections, Predicate<VirtualServer> ours) {
    return inUse(connections, ours).count();
  }

  static Stream<Connection> inUse(List<Connection> connections, Predicate<VirtualServer> ours) {
    return connections.stream()
        .filter(connection -> !ENDED.contains(connection.state()))
        .filter(connection -> ours.test(server(connection)));
  }

  static VirtualServer server(Connection connection) {
    var tuple = connection.tuple();
    return new VirtualServer(tuple.destination(), tuple.destinationPort(), tuple.protocol());
  }
}
