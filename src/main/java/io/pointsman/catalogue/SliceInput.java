// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the catalogue needs of an EndpointSlice, checked and reduced when the object arrives.
 *
 * @param key the slice itself
 * @param service the Service it belongs to
 * @param endpoints those that may get connections; what is neither ready nor a serving and
 *     terminating one is left out
 * @param problems what was wrong in the object
 */
public record SliceInput(
    ObjectKey key,
    ObjectKey service,
    List<Port> ports,
    List<Endpoint> endpoints,
    List<Problem> problems) {
  /** Takes copies. */
  public SliceInput {
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
    problems = List.copyOf(problems);
  }

  /** A port of all endpoints of the slice, matched to a Service port by name and protocol. */
  public record Port(String name, Protocol protocol, int port) {}

  /**
   * One endpoint.
   *
   * @param node the node it runs on, empty when unknown
   * @param ready false when it terminates but still serves: used only when no ready one is there
   * @param hints whose clients should use it
   */
  public record Endpoint(Address address, String node, boolean ready, Hints hints) {}

  /** The nodes and zones whose clients an endpoint is meant for; without any, for all. */
  public record Hints(Set<String> zones, Set<String> nodes) {
    /** Said by nobody. */
    public static final Hints NONE = new Hints(Set.of(), Set.of());

    /** Takes copies. */
    public Hints {
      zones = Set.copyOf(zones);
      nodes = Set.copyOf(nodes);
    }

    Hints or(Hints other) {
      if (equals(other)) {
        return this;
      }
      Set<String> allZones = new HashSet<>(zones);
      allZones.addAll(other.zones);
      Set<String> allNodes = new HashSet<>(nodes);
      allNodes.addAll(other.nodes);
      return new Hints(allZones, allNodes);
    }
  }
}
