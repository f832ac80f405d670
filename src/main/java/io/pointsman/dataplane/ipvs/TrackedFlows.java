// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.Conntrack.Flow;
import io.pointsman.kernel.ConntrackTimeouts;
import io.pointsman.kernel.FlowTuple;
import io.pointsman.kernel.IpvsConnections.Connection;
import io.pointsman.kernel.KernelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * What conntrack has of the connections of ip_vs, which take it with them; in the network namespace
 * of the thread that opens it. Failures are {@link KernelException}.
 */
final class TrackedFlows implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(TrackedFlows.class);

  /** Kernels before 5.9 forget connections by and by; then the entries are replaced as they are. */
  static final Patience UNTIL_FORGOTTEN = new Patience(Duration.ofSeconds(1), 100);

  /** Most answers come sooner, and what is new may meet what ip_vs remembers. */
  private static final Patience UNTIL_ANSWERED = new Patience(Duration.ofMillis(250), 20);

  private static final int UDP = Protocol.UDP.number();

  private final Conntrack conntrack = new Conntrack();

  /** Those that conntrack knows as ip_vs translates them; none when it cannot be asked. */
  List<Flow> of(List<Connection> connections) {
    Map<FlowTuple, Connection> byTuple = new HashMap<>();
    connections.stream()
        // An association of SCTP cannot be made in the midst of it.
        .filter(connection -> connection.tuple().protocol() != Protocol.SCTP.number())
        .forEach(connection -> byTuple.put(connection.tuple(), connection));
    try {
      return conntrack.read(
          flow -> {
            Connection connection = byTuple.get(flow.original());
            return connection != null
                && flow.reply().source().equals(connection.server())
                && flow.reply().sourcePort() == connection.serverPort();
          });
    } catch (KernelException e) {
      if (Conntrack.isMissing(e)) {
        return List.of();
      }
      throw e;
    }
  }

  /** Whether it is one of datagrams that nobody has answered. */
  static boolean isQuestion(Flow flow) {
    return flow.protocol() == UDP && !flow.answered();
  }

  /**
   * The flows as soon as each of UDP has had an answer. Others take new flows already, so only what
   * was on its way then is waited for: a resolver that loses its answer asks again after seconds.
   *
   * @param look reads the flows
   * @param silent the ids of those from which no answer is awaited
   */
  static List<Flow> awaitAnswers(
      Supplier<List<Flow>> look, Set<Integer> silent, LongSupplier nanos) {
    List<Flow> flows = new ArrayList<>();
    UNTIL_ANSWERED.await(
        () -> {
          flows.clear();
          flows.addAll(look.get());
          return flows.stream().noneMatch(flow -> isQuestion(flow) && !silent.contains(flow.id()));
        },
        nanos);
    return flows;
  }

  /** Makes entries again, with the translations, as soon as ip_vs has taken them with it. */
  void replace(List<Flow> flows) {
    if (flows.isEmpty()) {
      return;
    }
    Set<Integer> ids = new HashSet<>();
    flows.forEach(flow -> ids.add(flow.id()));
    try {
      UNTIL_FORGOTTEN.await(
          () -> conntrack.read(flow -> ids.contains(flow.id())).isEmpty(), System::nanoTime);
    } finally {
      restore(flows);
    }
  }

  /** One by one, so that one which is refused takes none with it. */
  private void restore(List<Flow> flows) {
    ConntrackTimeouts timeouts = ConntrackTimeouts.read();
    int refused = 0;
    String why = "";
    for (Flow flow : flows) {
      // Answers have made a flow of their own while there was none.
      conntrack.delete(flow.original());
      conntrack.delete(flow.reply());
      int seconds = timeouts.of(flow.protocol(), flow.closing());
      conntrack.addTranslated(flow.original(), flow.reply(), flow.closing(), seconds);
      try {
        conntrack.flush();
      } catch (KernelException e) {
        refused++;
        why = String.valueOf(e.getMessage());
      }
    }
    if (refused > 0) {
      LOG.warnf("%d of %d flows of ip_vs end with it: %s", refused, flows.size(), why);
    }
  }

  @Override
  public void close() {
    conntrack.close();
  }
}
