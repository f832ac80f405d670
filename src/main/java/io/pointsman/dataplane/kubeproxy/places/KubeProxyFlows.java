// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy.places;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.ipvs.KubeProxyServers;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.KernelException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Established flows that began through a kube-proxy, in the network namespace of the thread that
 * counts.
 *
 * @param conntrack those that its rules translated and conntrack keeps
 * @param ipvs connections of its virtual servers
 */
public record KubeProxyFlows(long conntrack, long ipvs) {
  private record Place(Address address, int port, int protocol) {}

  /**
   * Counts those through what was read.
   *
   * @throws DataplaneException when the kernel does not tell
   */
  public static KubeProxyFlows count(List<KubeProxyState> states) {
    Set<Place> translated = new HashSet<>();
    List<KubeProxyFrontend> servers = new ArrayList<>();
    for (KubeProxyState state : states) {
      if (state.mode() != KubeProxyMode.IPVS) {
        for (KubeProxyFrontend each : state.frontends()) {
          translated.add(new Place(each.address(), each.port(), each.protocol()));
        }
      } else {
        servers.addAll(state.frontends());
      }
    }
    return new KubeProxyFlows(
        translated.isEmpty() ? 0 : conntrack(translated),
        servers.isEmpty() ? 0 : KubeProxyServers.connections(servers));
  }

  private static long conntrack(Set<Place> places) {
    long[] flows = {0};
    try {
      for (boolean v6 : new boolean[] {false, true}) {
        Address any = v6 ? Address.ANY_V6 : Address.ANY_V4;
        Conntrack.forEach(
            v6,
            flow -> {
              Address address = Address.of(flow.destination());
              if (flow.translated()
                  && !flow.closing()
                  && (places.contains(new Place(address, flow.port(), flow.protocol()))
                      || places.contains(new Place(any, flow.port(), flow.protocol())))) {
                flows[0]++;
              }
            });
      }
    } catch (KernelException e) {
      throw new DataplaneException("count kube-proxy's flows: " + e.getMessage(), e);
    }
    return flows[0];
  }
}
