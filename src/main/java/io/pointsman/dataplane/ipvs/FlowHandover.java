// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.dataplane.DrainState;
import io.pointsman.kernel.Conntrack.Flow;
import io.pointsman.kernel.FlowTuple;
import io.pointsman.kernel.IpvsConnections;
import io.pointsman.kernel.IpvsConnections.Connection;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.RealServerInfo;
import io.pointsman.kernel.VirtualServer;
import io.pointsman.kernel.VirtualServerInfo;
import java.net.InetAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Hands the flows that ip_vs has over to conntrack when their virtual servers go, with backend,
 * node's address and port as they are (ADR 7). A connection of ip_vs takes its entry in conntrack
 * with it, so there is none for a moment; until there is a new one, the flow's packets are dropped.
 */
final class FlowHandover implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(FlowHandover.class);

  /** Kernels before 5.9 forget connections by and by. */
  private static final Patience UNTIL_UNUSED = new Patience(Duration.ofSeconds(1), 1);

  private static final int UDP = Protocol.UDP.number();

  private final Held held;
  private final LongSupplier nanos;

  /** Flows of datagrams that nobody had answered before others took new ones. */
  private final Set<Integer> silent = new HashSet<>();

  FlowHandover(List<Rules> rules, IpSets sets) {
    this(rules, sets, System::nanoTime);
  }

  FlowHandover(List<Rules> rules, IpSets sets, LongSupplier nanos) {
    this.held = new Held(rules, sets);
    this.nanos = nanos;
  }

  /** Does what takes time, so that what comes then takes less. */
  void prepare() {
    List<Connection> connections = IpvsConnections.read();
    try (TrackedFlows tracked = new TrackedFlows()) {
      tracked.of(connections).stream()
          .filter(TrackedFlows::isQuestion)
          .forEach(flow -> silent.add(flow.id()));
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (Connection connection : connections) {
      families.add(Address.of(connection.server()).family());
    }
    held.prepare(families);
  }

  /**
   * Deletes the virtual servers whose flows can all be handed over, at once: an answer to a new
   * flow that BPF sent to a backend may look like one of theirs, and ip_vs would translate it.
   *
   * @param ours which servers may go
   * @param virtual the addresses on the device: a socket of the node that has one ends with it
   * @return the flows of the servers that stay
   */
  DrainState drain(IpvsNetlink ipvs, Predicate<VirtualServer> ours, Set<InetAddress> virtual) {
    List<Connection> inUse = FlowCounter.inUse(IpvsConnections.read(), ours).toList();
    Set<VirtualServer> staying = staying(inUse, virtual);
    Predicate<VirtualServer> going = ours.and(Predicate.not(staying::contains));
    if (ipvs.virtualServers().stream().map(VirtualServerInfo::server).anyMatch(going)) {
      around(going, () -> Leaving.delete(ipvs, going));
    }
    return DrainState.carrying(FlowCounter.count(inUse, staying::contains));
  }

  /**
   * Deletes only the virtual servers that have flows, and those can all be handed over; they can be
   * made again.
   *
   * @return the servers that were deleted
   */
  Set<VirtualServer> deleteBusy(
      IpvsNetlink ipvs, Predicate<VirtualServer> ours, Set<InetAddress> virtual) {
    List<Connection> inUse = FlowCounter.inUse(IpvsConnections.read(), ours).toList();
    Set<VirtualServer> going = new HashSet<>();
    inUse.forEach(connection -> going.add(FlowCounter.server(connection)));
    going.removeAll(staying(inUse, virtual));
    if (!going.isEmpty()) {
      around(going::contains, () -> Leaving.delete(ipvs, going::contains));
      awaitUnused(going);
    }
    return going;
  }

  /**
   * Makes ip_vs forget its connections, those that have ended included, and leaves the virtual
   * servers as they are: each that has any is deleted and made again. Others take new flows.
   *
   * @param virtual the addresses on the device, which stay for now
   */
  void forget(IpvsNetlink ipvs, Predicate<VirtualServer> ours, Set<InetAddress> virtual) {
    List<Connection> all = IpvsConnections.read();
    Set<VirtualServer> known = new HashSet<>();
    all.forEach(connection -> known.add(FlowCounter.server(connection)));
    // A question of the node's own is answered long before its address goes.
    Stream<Connection> lasting =
        FlowCounter.inUse(all, ours).filter(each -> each.tuple().protocol() != UDP);
    Set<VirtualServer> staying = staying(lasting.toList(), virtual);
    known.removeIf(server -> !ours.test(server) || staying.contains(server));
    Map<VirtualServerInfo, List<RealServerInfo>> going = new HashMap<>();
    for (VirtualServerInfo info : ipvs.virtualServers()) {
      if (known.contains(info.server())) {
        List<RealServerInfo> reals = ipvs.realServers(info.server());
        if (reals.stream().allMatch(real -> real.forwarding() == RealServerInfo.MASQUERADE)) {
          going.put(info, reals.reversed()); // the kernel has the last one first
        }
      }
    }
    Set<VirtualServer> servers = new HashSet<>();
    going.keySet().forEach(info -> servers.add(info.server()));
    if (!servers.isEmpty()) {
      try {
        around(servers::contains, () -> Leaving.delete(ipvs, servers::contains));
      } finally {
        awaitUnused(servers);
        remake(ipvs, going);
      }
    }
  }

  private static void remake(
      IpvsNetlink ipvs, Map<VirtualServerInfo, List<RealServerInfo>> servers) {
    servers.forEach(
        (info, reals) -> {
          int flags = info.flags() & ~VirtualServerInfo.HASHED;
          ipvs.add(
              new VirtualServerInfo(info.server(), info.scheduler(), flags, info.timeoutSeconds()));
          reals.forEach(real -> ipvs.add(info.server(), real.server(), real.weight()));
        });
    try {
      ipvs.flush();
    } catch (KernelException e) {
      LOG.warnf("kube-proxy makes some of its virtual servers again itself: %s", e.getMessage());
    }
  }

  /** The servers of connections that cannot be handed over. */
  private static Set<VirtualServer> staying(List<Connection> inUse, Set<InetAddress> virtual) {
    Set<VirtualServer> staying = new HashSet<>();
    inUse.stream()
        .filter(Predicate.not(movable(inUse, virtual)))
        .forEach(connection -> staying.add(FlowCounter.server(connection)));
    return staying;
  }

  /**
   * Which connections can be handed over. One of UDP that conntrack has forgotten counts as one,
   * the node's own included: it has been silent for as long as any other dataplane would remember
   * it.
   */
  private static Predicate<Connection> movable(List<Connection> inUse, Set<InetAddress> virtual) {
    Set<FlowTuple> known = new HashSet<>();
    if (!inUse.isEmpty()) {
      try (TrackedFlows tracked = new TrackedFlows()) {
        tracked.of(inUse).forEach(flow -> known.add(flow.original()));
      }
    }
    return connection -> {
      FlowTuple tuple = connection.tuple();
      boolean tracked = known.contains(tuple);
      return tuple.protocol() == UDP && !tracked || tracked && !virtual.contains(tuple.source());
    };
  }

  /**
   * Deletes virtual servers and keeps their flows.
   *
   * @param ours which servers the deletion concerns
   */
  void around(Predicate<VirtualServer> ours, Runnable deletion) {
    try (TrackedFlows tracked = new TrackedFlows()) {
      List<Flow> flows =
          TrackedFlows.awaitAnswers(
              () -> tracked.of(FlowCounter.inUse(IpvsConnections.read(), ours).toList()),
              silent,
              nanos);
      held.add(flows);
      try {
        deletion.run();
      } finally { // what failed may have been a part of it
        tracked.replace(flows);
      }
    } finally {
      held.close();
    }
  }

  @Override
  public void close() {
    held.close();
  }

  /** A virtual server that is made again before ip_vs has forgotten its connections gets them. */
  private static void awaitUnused(Set<VirtualServer> servers) {
    UNTIL_UNUSED.await(
        () -> IpvsConnections.read().stream().map(FlowCounter::server).noneMatch(servers::contains),
        System::nanoTime);
  }
}
