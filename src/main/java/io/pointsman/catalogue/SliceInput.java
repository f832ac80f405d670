// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;

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
   */
  public record Endpoint(Address address, String node, boolean ready) {}
}
