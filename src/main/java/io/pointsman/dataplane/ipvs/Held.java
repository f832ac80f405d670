// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.Conntrack.Flow;
import io.pointsman.kernel.FlowTuple;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Flows whose packets are dropped while they are handed over (ADR 7): in each family a set, and a
 * chain that drops what is in it.
 */
final class Held implements AutoCloseable {
  private final List<Rules> rules;
  private final IpSets sets;
  private final Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);

  Held(List<Rules> rules, IpSets sets) {
    this.rules = rules;
    this.sets = sets;
  }

  /** Does what takes time; no packet is dropped yet. */
  void prepare(Set<IpFamily> wanted) {
    if (families.isEmpty()) {
      letGo(); // what an agent was holding that was killed
    }
    Set<IpFamily> missing = new HashSet<>(wanted);
    missing.removeAll(families);
    families.addAll(missing);
    sets.create(SetName.HELD, missing);
    rules.stream().filter(each -> missing.contains(each.family())).forEach(Rules::hold);
  }

  /** From here on packets of these are dropped. */
  void add(List<Flow> flows) {
    if (flows.isEmpty()) {
      return;
    }
    Set<SetEntry> entries = new HashSet<>();
    Set<IpFamily> wanted = EnumSet.noneOf(IpFamily.class);
    for (Flow flow : flows) {
      entries.add(entry(flow.original().reversed()));
      entries.add(entry(flow.reply()));
    }
    entries.forEach(entry -> wanted.add(entry.family()));
    prepare(wanted);
    sets.add(entries);
  }

  /** The client's side as the flow's other end sees it, and that end. */
  private static SetEntry entry(FlowTuple towardsClient) {
    Address client = Address.of(towardsClient.destination());
    Protocol protocol = Protocol.of(towardsClient.protocol()).orElseThrow();
    String place = SetEntry.place(client, protocol, towardsClient.destinationPort());
    String text = place + "," + Address.of(towardsClient.source());
    return new SetEntry(SetName.HELD, client.family(), text);
  }

  /** Lets all packets go on, also those that an agent was holding that was killed. */
  void letGo() {
    sets.empty(SetName.HELD);
    rules.forEach(Rules::letGo);
    sets.destroy(SetName.HELD);
  }

  /** Lets go of what was prepared. */
  @Override
  public void close() {
    if (!families.isEmpty()) {
      letGo();
      families.clear();
    }
  }
}
