// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;
import java.util.Set;

/**
 * One Service port of one family as kube-proxy must serve it on a node.
 *
 * @param places where clients connect; another Service may name the same place
 * @param hinted whether topology hints leave more than one choice of endpoints
 */
public record ExpectedPort(
    ServicePortId id, TrafficPolicy policy, List<Place> places, boolean hinted) {
  /** Takes a copy. */
  public ExpectedPort {
    places = List.copyOf(places);
  }

  /**
   * A frontend and the endpoints behind it.
   *
   * @param cluster the endpoints of the whole cluster that clients of this node may be sent to: one
   *     of these sets, which differ only by how topology hints are followed
   * @param local what a Local policy allows here: endpoints of this node. Not used without one
   * @param localOnly whether the policy of this frontend is Local
   */
  public record Place(
      Frontend frontend, List<Set<Target>> cluster, Set<Target> local, boolean localOnly) {}
}
