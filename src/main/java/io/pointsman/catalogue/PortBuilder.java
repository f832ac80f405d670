// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns one Service with its slices into the ports that a dataplane serves. The rules are
 * kube-proxy's: ready endpoints, or if there are none those that terminate but still serve, which
 * otherwise keep their UDP flows; endpoints that several slices name are one.
 */
final class PortBuilder {
  private static final Comparator<Backend> BACKEND_ORDER =
      Comparator.comparing(Backend::address).thenComparingInt(Backend::port);

  private final String nodeName;
  private final ClaimIndex claims;

  /**
   * Builds ports as this node sees them.
   *
   * @param nodeName empty when no node's view is wanted
   */
  PortBuilder(String nodeName, ClaimIndex claims) {
    this.nodeName = nodeName;
    this.claims = claims;
  }

  /** What came of a Service. */
  record Built(List<ServicePort> ports, List<Problem> problems) {
    /** A Service that is not there. */
    static final Built NOTHING = new Built(List.of(), List.of());
  }

  Built build(ServiceEntry entry) {
    ServiceInput input = entry.service;
    if (input == null) {
      return Built.NOTHING;
    }
    List<Problem> problems = new ArrayList<>(input.problems());
    entry.slices.forEach(slice -> problems.addAll(slice.problems()));
    List<ServicePort> ports = new ArrayList<>(input.ports().size());
    for (ServiceInput.Port port : input.ports()) {
      List<Frontend> frontends = frontends(input, port, problems);
      for (Address clusterAddress : input.clusterAddresses()) {
        IpFamily family = clusterAddress.family();
        List<Frontend> ofFamily =
            frontends.stream().filter(f -> f.address().family() == family).toList();
        if (!ofFamily.isEmpty()) {
          ports.add(port(id(input, port, family), ofFamily, targets(entry.slices, port, family)));
        }
      }
    }
    problems.sort(Problem.ORDER);
    return new Built(List.copyOf(ports), List.copyOf(problems));
  }

  private static ServicePortId id(ServiceInput input, ServiceInput.Port port, IpFamily family) {
    ObjectKey key = input.key();
    return new ServicePortId(key.namespace(), key.name(), port.name(), port.protocol(), family);
  }

  private List<Frontend> frontends(
      ServiceInput input, ServiceInput.Port port, List<Problem> problems) {
    List<Frontend> frontends = new ArrayList<>(2);
    Claim.forEachPlace(
        input,
        port,
        (place, kind) -> {
          Claim winner = claims.winner(place);
          boolean ours = winner.service().equals(input.key()) && winner.port().equals(port.name());
          if (ours && winner.kind() == kind) {
            frontends.add(new Frontend(place.address(), place.port(), place.protocol(), kind));
          } else if (!ours) {
            problems.add(taken(input.key(), place, winner));
          }
        });
    return frontends;
  }

  private static Problem taken(ObjectKey key, Claim.Place place, Claim winner) {
    return new Problem(
        "Service " + key,
        Problem.Effect.NOT_SERVED,
        "AddressTaken",
        place + " already belongs to Service " + winner.service() + ".",
        "Take the address or port out of one of the two Services.");
  }

  private Map<Target, Seen> targets(
      List<SliceInput> slices, ServiceInput.Port port, IpFamily family) {
    Map<Target, Seen> targets = new HashMap<>();
    for (SliceInput slice : slices) {
      for (SliceInput.Port slicePort : slice.ports()) {
        if (slicePort.protocol() == port.protocol() && slicePort.name().equals(port.name())) {
          for (SliceInput.Endpoint endpoint : slice.endpoints()) {
            if (endpoint.address().family() == family) {
              Seen seen = new Seen(endpoint.ready(), isLocal(endpoint));
              targets.merge(new Target(endpoint.address(), slicePort.port()), seen, Seen::or);
            }
          }
        }
      }
    }
    return targets;
  }

  private static ServicePort port(
      ServicePortId id, List<Frontend> frontends, Map<Target, Seen> targets) {
    boolean anyReady = targets.values().stream().anyMatch(Seen::ready);
    List<Backend> backends = new ArrayList<>(targets.size());
    List<Backend> terminating = new ArrayList<>(0);
    targets.forEach(
        (target, seen) -> {
          Backend backend = new Backend(target.address(), target.port(), seen.local());
          if (seen.ready() == anyReady) {
            backends.add(backend);
          } else if (id.protocol() == Protocol.UDP) {
            terminating.add(backend);
          }
        });
    backends.sort(BACKEND_ORDER);
    terminating.sort(BACKEND_ORDER);
    return new ServicePort(id, frontends, backends, terminating);
  }

  private boolean isLocal(SliceInput.Endpoint endpoint) {
    return !nodeName.isEmpty() && endpoint.node().equals(nodeName);
  }

  /** What the slices together say of a target. */
  private record Seen(boolean ready, boolean local) {
    Seen or(Seen other) {
      return new Seen(ready || other.ready, local || other.local);
    }
  }
}
