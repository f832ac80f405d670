// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/**
 * What a Service asks of a proxy beside addresses and ports.
 *
 * @param internalLocal whether the cluster addresses are served by endpoints of the node only
 * @param externalLocal whether node ports, external and load balancer addresses are
 * @param affinity whether a client keeps its endpoint
 * @param sourceRanges whether the load balancer's addresses are for some clients only
 */
public record TrafficPolicy(
    boolean internalLocal, boolean externalLocal, boolean affinity, boolean sourceRanges) {
  /** What a Service has that says nothing of it. */
  public static final TrafficPolicy DEFAULT = new TrafficPolicy(false, false, false, false);
}
