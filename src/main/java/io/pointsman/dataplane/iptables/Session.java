// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.HostAddresses;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.dataplane.StaleFlows;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Together;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The tables of both families while they are open. */
final class Session {
  private static final Address LOOPBACK = Address.parse("127.0.0.1");

  private final Map<IpFamily, FamilyTables> families = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, FlowCounter> flows = new EnumMap<>(IpFamily.class);
  private Map<String, Long> events = new TreeMap<>();
  private Set<Address> nodePortAddresses = Set.of();

  /**
   * Looks where the node's rules are; changes nothing.
   *
   * @throws DataplaneException when Pointsman's state cannot be seen
   */
  Session(IptablesOptions options, boolean inTurn) {
    for (Discovery.Place place : Discovery.look(options).chosen()) {
      if (place.stateHidden) {
        throw new DataplaneException(HiddenTables.tell(place.tool, Table.NAT.text()), null);
      }
      FamilyTables tables = new FamilyTables(place, inTurn, options);
      families.put(tables.family(), tables);
    }
  }

  /**
   * Both families' phases as one: the most that either does. A family that takes new flows must not
   * be taken out as if none did, when the other has not come that far.
   */
  Phase phase() {
    Set<Phase> phases = new HashSet<>();
    families.values().forEach(tables -> phases.add(tables.phase()));
    return Stream.of(Phase.DRAINING, Phase.ACTIVE, Phase.PREPARED)
        .filter(phases::contains)
        .findFirst()
        .orElse(Phase.ABSENT);
  }

  SyncResult prepare(DesiredState desired) {
    Set<Address> present = HostAddresses.read();
    nodePortAddresses = desired.nodePortAddresses();
    List<Changes> changes =
        Together.each(families.values(), tables -> prepare(tables, desired, present));
    if (phase() == Phase.ACTIVE) {
      // An earlier activation came to one family only, or only one was taken over in place.
      families.values().stream()
          .filter(tables -> tables.phase() == Phase.PREPARED)
          .forEach(FamilyTables::activate);
    }
    return result(changes, desired.ports());
  }

  private Changes prepare(FamilyTables tables, DesiredState desired, Set<Address> present) {
    List<ServicePort> ports =
        desired.ports().stream().filter(p -> p.id().family() == tables.family()).toList();
    List<String> doors = FamilyTables.doors(tables.family(), desired.nodePortAddresses(), present);
    Changes changes = tables.reconcile(ports, doors);
    endStaleFlows(tables);
    return changes;
  }

  /** Ends UDP flows that began before there were rules, and those that others kept until now. */
  SyncResult maintain() {
    families.values().forEach(this::endStaleFlows);
    return SyncResult.NONE;
  }

  private void endStaleFlows(FamilyTables tables) {
    if (tables.phase() == Phase.ACTIVE) {
      StaleFlows.end(tables.family(), tables.programmed(), answering(tables));
    }
  }

  /** The addresses that lead to node ports. */
  private Set<Address> answering(FamilyTables tables) {
    Set<Address> answering = new HashSet<>(nodePortAddresses);
    if (NodePortDoors.leadLoopback(tables.doors())) {
      answering.add(LOOPBACK);
    }
    return answering;
  }

  void activate() {
    Together.each(prepared(), FamilyTables::activate);
    flows.clear();
  }

  SyncResult apply(DesiredState.Delta delta) {
    List<ServicePort> after = new ArrayList<>();
    delta.upserted().forEach(change -> after.add(change.after()));
    for (FamilyTables tables : prepared()) {
      if (!tables.trusted()) {
        throw new DataplaneException(
            "apply change: an earlier write failed; repair with the whole desired state first",
            null);
      }
    }
    return result(Together.each(families.values(), tables -> apply(tables, delta)), after);
  }

  private Changes apply(FamilyTables tables, DesiredState.Delta delta) {
    IpFamily family = tables.family();
    List<DesiredState.Change> upserted =
        delta.upserted().stream().filter(c -> c.after().id().family() == family).toList();
    List<ServicePort> removed =
        delta.removed().stream().filter(p -> p.id().family() == family).toList();
    Changes changes = tables.apply(upserted, removed);
    if (tables.phase() == Phase.ACTIVE) {
      StaleFlows.endChanged(family, upserted, answering(tables));
    }
    return changes;
  }

  void applyNodePortAddresses(Set<Address> wanted) {
    Set<Address> present = HostAddresses.read();
    nodePortAddresses = wanted;
    for (FamilyTables tables : prepared()) {
      tables.applyDoors(FamilyTables.doors(tables.family(), wanted, present));
    }
  }

  IptablesKernelState read() {
    List<SavedTables> saved = new ArrayList<>();
    List<String> defects = new ArrayList<>();
    List<Setting> settings = new ArrayList<>();
    Map<String, Long> counted = new TreeMap<>();
    for (Reading each : Together.each(prepared(), Reading::of)) {
      saved.add(each.saved());
      defects.addAll(each.defects());
      each.setting().ifPresent(settings::add);
      each.saved().events.forEach((event, packets) -> counted.merge(event, packets, Long::sum));
    }
    events = counted;
    return new IptablesKernelState(saved, defects, settings);
  }

  /** What one family's tables hold, what is wrong with it, and the setting that it needs. */
  private record Reading(SavedTables saved, List<String> defects, Optional<Setting> setting) {
    static Reading of(FamilyTables tables) {
      SavedTables saved = tables.reader().save();
      return new Reading(saved, TableDefects.find(saved, tables), tables.setting(saved));
    }
  }

  DrainState drain() {
    long left = 0;
    boolean needed = false;
    for (FamilyTables tables : families.values()) {
      FlowCounter counter = flows.get(tables.family());
      if (counter == null || tables.phase() != Phase.DRAINING) {
        SavedTables saved = tables.reader().save();
        boolean served = saved.phase() == Phase.ACTIVE || saved.phase() == Phase.DRAINING;
        tables.drain(saved);
        if (!served || saved.handedOver()) {
          continue; // nothing goes away that a flow needs
        }
        counter = new FlowCounter(saved);
        flows.put(tables.family(), counter);
      }
      left += counter.count();
      needed |= counter.needsRules();
    }
    return new DrainState(left, needed);
  }

  void remove() {
    Together.run(families.values(), FamilyTables::remove);
    flows.clear();
  }

  /** What was counted when the tables were read last. */
  Map<String, Long> events() {
    return events;
  }

  private Collection<FamilyTables> prepared() {
    if (families.values().stream().anyMatch(tables -> !tables.prepared())) {
      throw new DataplaneException("The Iptables dataplane is not open: prepare it first.", null);
    }
    return families.values();
  }

  private SyncResult result(List<Changes> each, Iterable<ServicePort> ports) {
    Changes changes = each.stream().reduce(Changes.NONE, Changes::plus);
    List<SyncResult.Refused> refused = new ArrayList<>();
    for (ServicePort port : ports) {
      if (!families.containsKey(port.id().family())) {
        String why = port.id().text() + " has an IPv6 address, but this node's kernel has no IPv6";
        refused.add(new SyncResult.Refused(port.id(), why));
      }
    }
    return new SyncResult(changes.written(), changes.deleted(), refused, changes.fallbacks());
  }
}
