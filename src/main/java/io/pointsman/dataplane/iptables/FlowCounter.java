// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.iptables.RuleReader.Found;
import io.pointsman.kernel.Conntrack;
import java.util.HashSet;
import java.util.Set;

/**
 * Counts flows that one family's rules sent to an endpoint before the rules were left, and that may
 * still be in use. Conntrack keeps them going by itself; flows that began later are others'.
 */
final class FlowCounter {
  private final boolean v6;
  private final Address any;
  private final Set<Place> frontends = new HashSet<>();
  private final Set<Integer> flows = new HashSet<>();
  private final boolean needsRules;

  private record Place(Address address, int port, int protocol) {}

  /** Notes the flows that are there now through the frontends that were saved. */
  FlowCounter(SavedTables saved) {
    this.v6 = saved.family == IpFamily.IPV6;
    this.needsRules = !saved.forwards();
    this.any = v6 ? Address.ANY_V6 : Address.ANY_V4;
    for (Found found : saved.rules.found) {
      if (found.target() != null) {
        frontends.add(new Place(found.address(), found.port(), found.protocol().number()));
      }
    }
    Conntrack.forEach(v6, flow -> note(flow, flows));
  }

  /** Whether they are only forwarded because of a rule of ours. */
  boolean needsRules() {
    return needsRules;
  }

  /** How many of them are left. */
  long count() {
    if (!flows.isEmpty()) {
      Set<Integer> present = new HashSet<>();
      Conntrack.forEach(v6, flow -> note(flow, present));
      flows.retainAll(present);
    }
    return flows.size();
  }

  private void note(Conntrack.Flow flow, Set<Integer> ids) {
    if (flow.translated() && !flow.closing()) {
      Address address = Address.of(flow.destination());
      if (frontends.contains(new Place(address, flow.port(), flow.protocol()))
          || frontends.contains(new Place(any, flow.port(), flow.protocol()))) {
        ids.add(flow.id());
      }
    }
  }
}
