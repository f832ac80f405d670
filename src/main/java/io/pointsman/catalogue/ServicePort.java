// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;

/**
 * One Service port of one family with everything a dataplane needs to serve it.
 *
 * @param frontends where clients connect, without duplicates
 * @param backends where new connections go, without duplicates, sorted; empty means reject
 * @param terminating of UDP, endpoints beside these that terminate and still serve: flows that they
 *     have go on, as with kube-proxy; sorted
 */
public record ServicePort(
    ServicePortId id, List<Frontend> frontends, List<Backend> backends, List<Backend> terminating) {
  /** Takes copies, so that a catalogue's view never changes under a reader. */
  public ServicePort {
    frontends = List.copyOf(frontends);
    backends = List.copyOf(backends);
    terminating = List.copyOf(terminating);
  }

  /** None of whose endpoints terminates. */
  public ServicePort(ServicePortId id, List<Frontend> frontends, List<Backend> backends) {
    this(id, frontends, backends, List.of());
  }
}
