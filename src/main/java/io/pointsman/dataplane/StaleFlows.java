// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.KernelException;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Ends UDP flows of one family whose endpoint is none any more, as kube-proxy does: conntrack sends
 * a client that keeps its port to where its first datagram went, for as long as it goes on asking.
 * An endpoint that terminates keeps its flows until it serves no more. Connections notice by
 * themselves, and are left alone.
 */
public final class StaleFlows {
  private static final Logger LOG = Logger.getLogger(StaleFlows.class);

  private final IpFamily family;
  private final Set<Address> nodeAddresses;

  /** Where flows of each frontend may go. */
  private final Map<Socket, Set<Socket>> endpoints = new HashMap<>();

  /** The same of node ports. */
  private final Map<Integer, Set<Socket>> nodePorts = new HashMap<>();

  private record Socket(Address address, int port) {}

  private StaleFlows(IpFamily family, Set<Address> nodeAddresses) {
    this.family = family;
    this.nodeAddresses = nodeAddresses;
  }

  /**
   * Ends what does not go to an endpoint of these; where none is for UDP, nothing is looked at.
   * What cannot be ended is logged, because the ports are served all the same: the next look is
   * another try.
   *
   * @param nodeAddresses those that answer on node ports
   */
  public static void end(
      IpFamily family, Collection<ServicePort> ports, Set<Address> nodeAddresses) {
    StaleFlows stale = new StaleFlows(family, nodeAddresses);
    ports.stream().filter(port -> isOf(family, port)).forEach(stale::add);
    if (!stale.endpoints.isEmpty() || !stale.nodePorts.isEmpty()) {
      stale.end();
    }
  }

  /** The same after changes, where flows can have become stale by them. */
  public static void endChanged(
      IpFamily family, Collection<Change> changes, Set<Address> nodeAddresses) {
    List<ServicePort> changed =
        changes.stream()
            .filter(change -> isOf(family, change.after()))
            .filter(StaleFlows::matters)
            .map(Change::after)
            .toList();
    end(family, changed, nodeAddresses);
  }

  private static boolean isOf(IpFamily family, ServicePort port) {
    return port.id().protocol() == Protocol.UDP && port.id().family() == family;
  }

  private static boolean matters(Change change) {
    ServicePort before = change.before();
    return before == null
        || before.backends().isEmpty()
        || !endpoints(change.after()).containsAll(endpoints(before))
        || !change.after().frontends().equals(before.frontends());
  }

  private void add(ServicePort port) {
    if (port.backends().isEmpty()) {
      return; // where nobody is Ready, sessions wait for who was
    }
    Set<Socket> sockets = endpoints(port);
    for (Frontend frontend : port.frontends()) {
      if (frontend.kind() == FrontendKind.NODE_PORT) {
        nodePorts.put(frontend.port(), sockets);
      } else {
        endpoints.put(new Socket(frontend.address(), frontend.port()), sockets);
      }
    }
  }

  private static Set<Socket> endpoints(ServicePort port) {
    Set<Socket> sockets = new HashSet<>();
    for (List<Backend> each : List.of(port.backends(), port.terminating())) {
      each.forEach(backend -> sockets.add(new Socket(backend.address(), backend.port())));
    }
    return sockets;
  }

  private void end() {
    try (Conntrack conntrack = new Conntrack()) {
      List<Conntrack.Flow> flows = conntrack.read(family == IpFamily.IPV6, this::isStale);
      flows.forEach(flow -> conntrack.delete(flow.original()));
      conntrack.flush();
    } catch (KernelException e) {
      if (!Conntrack.isMissing(e)) {
        LOG.warnf("UDP flows may go on to endpoints that are none any more: %s", e.getMessage());
      }
    }
  }

  /** Also a flow that no rule translated, because it began before there was one. */
  private boolean isStale(Conntrack.Flow flow) {
    if (flow.protocol() != Protocol.UDP.number() || flow.zoned()) {
      return false;
    }
    Set<Socket> allowed = allowed(flow);
    Socket from = new Socket(Address.of(flow.reply().source()), flow.reply().sourcePort());
    return allowed != null && !allowed.contains(from);
  }

  private @Nullable Set<Socket> allowed(Conntrack.Flow flow) {
    Address to = Address.of(flow.destination());
    Set<Socket> allowed = endpoints.get(new Socket(to, flow.port()));
    return allowed == null && isOfNode(flow, to) ? nodePorts.get(flow.port()) : allowed;
  }

  /** Of addresses that every node has, the rule that translated tells that it was this one's. */
  private boolean isOfNode(Conntrack.Flow flow, Address to) {
    InetAddress address = flow.original().destination();
    return nodeAddresses.contains(to)
        || flow.translated() && (address.isLoopbackAddress() || address.isLinkLocalAddress());
  }
}
