// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.VirtualServer;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Tells which Service ports can have the virtual servers and real servers that they need.
 *
 * @param excluded virtual servers that are never made
 * @param foreign those of somebody else
 * @param refused receives the ports that cannot be served
 */
record Claims(
    Placement placement,
    Predicate<VirtualServer> excluded,
    Predicate<VirtualServer> foreign,
    List<SyncResult.Refused> refused) {

  /**
   * Whether the port can have all that it needs; it is refused when it cannot.
   *
   * @param holder the Service port that has a virtual server; null when none has
   */
  boolean canHave(ServicePort port, Function<VirtualServer, @Nullable ServicePort> holder) {
    for (Backend backend : port.backends()) {
      if (placement.broadcasts().contains(backend.address())) {
        refuse(
            port,
            "has the endpoint "
                + backend.address()
                + ", a broadcast address of this node, which ip_vs does not take for a real"
                + " server: give the pod another address");
        return false;
      }
    }
    for (VirtualServer server : placement.servers(port)) {
      String objection = objection(port, server, holder.apply(server));
      if (objection != null) {
        refuse(port, "needs the virtual server " + server + ", which " + objection);
        return false;
      }
    }
    return true;
  }

  private @Nullable String objection(
      ServicePort port, VirtualServer server, @Nullable ServicePort holder) {
    if (holder != null && !holder.id().equals(port.id())) {
      return "is that of " + holder.id().text() + ", too: give one of the two another port";
    }
    if (excluded.test(server)) {
      return "is in spec.ipvs.excludeCIDRs: give the Service another address, or narrow the range";
    }
    return foreign.test(server) ? "belongs to somebody else: take one of the two away" : null;
  }

  private void refuse(ServicePort port, String why) {
    refused.add(new SyncResult.Refused(port.id(), port.id().text() + " " + why));
  }
}
