// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.KernelException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Ends UDP flows of one family whose endpoint is none any more, as kube-proxy does: conntrack sends
 * a client that keeps its port to where its first datagram went, for as long as it goes on asking.
 * Connections notice by themselves, and are left alone.
 */
final class StaleFlows {
  private final IpFamily family;

  /** Where flows of each frontend may go. */
  private final Map<Socket, Set<Socket>> endpoints = new HashMap<>();

  private record Socket(Address address, int port) {}

  private StaleFlows(IpFamily family) {
    this.family = family;
  }

  /** Ends what does not go to an endpoint of these; where none is for UDP, nothing is looked at. */
  static void end(IpFamily family, Collection<ServicePort> ports) {
    StaleFlows stale = new StaleFlows(family);
    ports.forEach(stale::add);
    if (!stale.endpoints.isEmpty()) {
      stale.end();
    }
  }

  /** The same after changes, where flows can have become stale by them. */
  static void endChanged(IpFamily family, Collection<Change> changes) {
    end(family, changes.stream().filter(StaleFlows::matters).map(Change::after).toList());
  }

  private static boolean matters(Change change) {
    ServicePort before = change.before();
    return before == null
        || before.backends().isEmpty()
        || !change.after().backends().containsAll(before.backends())
        || !change.after().frontends().equals(before.frontends());
  }

  private void add(ServicePort port) {
    if (port.id().protocol() != Protocol.UDP) {
      return;
    }
    Set<Socket> backends = new HashSet<>();
    for (Backend backend : port.backends()) {
      backends.add(new Socket(backend.address(), backend.port()));
    }
    for (Frontend frontend : port.frontends()) {
      endpoints.put(new Socket(frontend.address(), frontend.port()), backends);
    }
  }

  private void end() {
    try (Conntrack conntrack = new Conntrack()) {
      List<Conntrack.Flow> flows = conntrack.read(family == IpFamily.IPV6, this::isStale);
      flows.forEach(flow -> conntrack.delete(flow.original()));
      conntrack.flush();
    } catch (KernelException e) {
      if (!Conntrack.isMissing(e)) {
        throw e;
      }
    }
  }

  /** Also a flow that no rule translated, because it began before there was one. */
  private boolean isStale(Conntrack.Flow flow) {
    if (flow.protocol() != Protocol.UDP.number()) {
      return false;
    }
    Address to = Address.of(flow.destination());
    Set<Socket> allowed = endpoints.get(new Socket(to, flow.port()));
    if (allowed == null && flow.translated()) {
      allowed = endpoints.get(new Socket(to.isV4() ? Address.ANY_V4 : Address.ANY_V6, flow.port()));
    }
    Socket from = new Socket(Address.of(flow.reply().source()), flow.reply().sourcePort());
    return allowed != null && !allowed.contains(from);
  }
}
