// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.List;

/**
 * A place where kube-proxy's rules answer. A node port stands once, under the wildcard address of
 * its family.
 *
 * @param protocol the IANA number
 * @param service the Service port as the rules name it, {@code namespace/service:port}; empty when
 *     they do not
 * @param refuses whether what comes here is rejected or dropped
 * @param outside the endpoints that clients outside the node reach
 * @param inside those that the node and its pods reach; equal to {@code outside} unless the rules
 *     send them another way
 * @param flaws what else is wrong with it, each a sentence
 */
public record KubeProxyFrontend(
    Address address,
    int port,
    int protocol,
    String service,
    boolean refuses,
    List<BackendAddress> outside,
    List<BackendAddress> inside,
    List<String> flaws) {
  /** Takes copies. */
  public KubeProxyFrontend {
    outside = List.copyOf(outside);
    inside = List.copyOf(inside);
    flaws = List.copyOf(flaws);
  }
}
