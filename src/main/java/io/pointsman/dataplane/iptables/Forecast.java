// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.HostAddresses;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.kernel.Iptables;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Counts rules of both families' tables by reading them as iptables-save tells them; writes
 * nothing.
 */
final class Forecast {
  private final IptablesOptions options;
  private final boolean inTurn;

  Forecast(IptablesOptions options, boolean inTurn) {
    this.options = options;
    this.inTurn = inTurn;
  }

  /** What is to be written so that the tables take new flows for the desired state. */
  PlannedWrites writes(DesiredState desired) {
    Set<Address> present = HostAddresses.read();
    long written = 0;
    long deleted = 0;
    long bytes = 0;
    for (Discovery.Place place : Discovery.look(options).chosen()) {
      SavedTables saved = save(place.tool);
      List<ServicePort> ports =
          desired.ports().stream().filter(p -> p.id().family() == saved.family).toList();
      List<String> doors = FamilyTables.doors(saved.family, desired.nodePortAddresses(), present);
      Optional<AddressRange> localRange = options.localRange(saved.family);
      ServiceRules rules = ServiceRules.of(ports, inTurn, localRange);
      String before = RouteLocalnet.before(saved, doors, Phase.ACTIVE);
      WantedTables wanted = new WantedTables(ports, rules, doors, Phase.ACTIVE, before);
      Comparison difference = new Comparison(saved, wanted);
      written += difference.written();
      deleted += difference.deleted();
      bytes += RuleMemory.bytes(place.tool.variant(), count(wanted));
    }
    return new PlannedWrites(written, deleted, bytes);
  }

  /** Rules of Pointsman's that would be taken out, and flows that began through them. */
  Holdings holdings() {
    Holdings all = Holdings.NONE;
    for (Discovery.Place place : Discovery.look(options).chosen()) {
      SavedTables saved = save(place.tool);
      if (saved.phase() != Phase.ABSENT) {
        ChainRemoval removal = new ChainRemoval(saved.removable(options.standIn()));
        place.tool.save(removal::accept);
        all = all.plus(new Holdings(removal.rules(), flows(saved)));
      }
    }
    return all;
  }

  private static long flows(SavedTables saved) {
    boolean served = saved.phase() == Phase.ACTIVE || saved.phase() == Phase.DRAINING;
    return served && !saved.handedOver() ? new FlowCounter(saved).count() : 0;
  }

  private static long count(WantedTables wanted) {
    long count = FixedRules.count() + wanted.doors().size();
    for (ServicePort port : wanted.ports()) {
      count += wanted.rules().of(port).count();
    }
    return count;
  }

  private static SavedTables save(Iptables tool) {
    SavedTables saved = new SavedTables(Families.of(tool));
    tool.save(saved::accept);
    return saved;
  }
}
