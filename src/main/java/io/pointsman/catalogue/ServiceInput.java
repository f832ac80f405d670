// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;

/**
 * What the catalogue needs of a Service, checked and reduced when the object arrives.
 *
 * @param created seconds since the epoch; the older of two Services that claim one address wins
 * @param proxied false for Services that no proxy serves: headless, ExternalName, or another
 *     proxy's
 * @param clusterAddresses at most one per family; a family without one is not served at all
 * @param policy what it asks for beyond that
 * @param problems what was wrong in the object
 */
public record ServiceInput(
    ObjectKey key,
    long created,
    boolean proxied,
    List<Address> clusterAddresses,
    List<Address> externalAddresses,
    List<Address> loadBalancerAddresses,
    List<Port> ports,
    TrafficPolicy policy,
    List<Problem> problems) {
  /** Takes copies. */
  public ServiceInput {
    clusterAddresses = List.copyOf(clusterAddresses);
    externalAddresses = List.copyOf(externalAddresses);
    loadBalancerAddresses = List.copyOf(loadBalancerAddresses);
    ports = List.copyOf(ports);
    problems = List.copyOf(problems);
  }

  /** A Service that no proxy serves. */
  public static ServiceInput ignored(ObjectKey key) {
    return new ServiceInput(
        key,
        0,
        false,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        TrafficPolicy.DEFAULT,
        List.of());
  }

  /**
   * One port of the Service.
   *
   * @param name empty when it has none
   * @param nodePort 0 for none
   */
  public record Port(String name, Protocol protocol, int port, int nodePort) {}
}
