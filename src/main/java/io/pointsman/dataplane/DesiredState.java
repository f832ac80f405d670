// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.ServicePort;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Everything this node's kernel shall hold.
 *
 * @param ports every Service port, seen from this node
 * @param nodePortAddresses addresses of this node that answer on node ports; loopback is not among
 *     them, and answers where the dataplane can
 * @param digest the sum over {@code ports}
 */
public record DesiredState(
    Collection<ServicePort> ports, Set<Address> nodePortAddresses, Digest digest) {

  /**
   * A change of the desired state; a port in {@code upserted} carries its whole new state.
   *
   * @param upserted pairs of what was (null when new) and what shall be
   * @param removed what was and shall be no more
   */
  public record Delta(List<Change> upserted, List<ServicePort> removed) {
    /** Takes copies. */
    public Delta {
      upserted = List.copyOf(upserted);
      removed = List.copyOf(removed);
    }
  }

  /** A Service port before (null when it is new) and after. */
  public record Change(@org.jspecify.annotations.Nullable ServicePort before, ServicePort after) {}
}
