// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.StaleFlows;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.IpvsNetlink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Virtual servers, sets, rules and the device while they are open. */
final class Session implements AutoCloseable {
  private final IpvsOptions options;
  private final String scheduler;
  private final IpvsNetlink ipvs;
  private final DummyDevice device;
  private final List<Rules> rules;
  private final IpSets sets;
  private final Settings kernel;
  private final VirtualServers servers;
  private final SetContents contents;
  private Placement placement = new Placement(Set.of(), Set.of(), Set.of());
  private Note noted = Note.NONE;
  private Phase phase = Phase.ABSENT;

  Session(IpvsOptions options, String scheduler) {
    this.options = options;
    this.contents = new SetContents(options.excludeRanges());
    this.scheduler = scheduler;
    this.rules = RulePlaces.find(options);
    this.sets = new IpSets(options.commands(), rules.stream().map(Rules::family).toList());
    this.kernel = new Settings(options);
    this.ipvs =
        IpvsNetlink.open()
            .orElseThrow(
                () -> new DataplaneException("The kernel has no ip_vs: modprobe ip_vs", null));
    this.device = new DummyDevice(IpvsDataplane.DEVICE);
    this.servers = new VirtualServers(ipvs, scheduler, options::excludes);
  }

  /** Everything of it; what is bound and which rules there are depends on the phase. */
  SyncResult prepare(DesiredState desired) {
    int written = note();
    placement = Placement.read(options, device, desired.nodePortAddresses());
    IpSets.Read present = sets.read();
    ServerTable table = ServerTable.read(ipvs, ownership(present));
    servers.choose(served(desired.ports(), rules), placement, table.foreign()::contains);
    contents.reset(servers.ports(), placement);
    sets.create(present, contents.entries());
    for (Rules each : rules) {
      written += each.write(false);
    }
    SetChanges changes = contents.from(present.entries());
    Changes addresses = around(changes, () -> servers.reconcile(table), true);
    if (phase == Phase.ACTIVE) {
      for (Rules each : rules) {
        written += each.write(true);
      }
    }
    return new SyncResult(
        written + servers.written() + changes.added() + addresses.written(),
        servers.deleted() + changes.removed() + addresses.deleted(),
        refused(desired.ports()));
  }

  /**
   * Addresses first: packets to them must not be routed away when the rules no longer turn them.
   *
   * @throws DataplaneException when a table cannot be seen, so that its rules would be missing
   */
  void activate() {
    trusted();
    rules.forEach(Rules::needAll);
    device.add(contents.serviceAddresses());
    rules.forEach(each -> each.write(true));
    // Packets to an address that no Service has any more are to leave the node.
    device.remove(surplus(device.addresses()));
    enter(Phase.ACTIVE);
  }

  SyncResult apply(DesiredState.Delta wanted) {
    trusted();
    List<ServicePort> all = wanted.upserted().stream().map(DesiredState.Change::after).toList();
    Set<ServicePort> servable = new HashSet<>(served(all, rules));
    DesiredState.Delta delta =
        servers.choose(
            new DesiredState.Delta(
                wanted.upserted().stream().filter(it -> servable.contains(it.after())).toList(),
                wanted.removed()),
            placement,
            ipvs::has);
    servers.distrust();
    List<ServicePort> after = new ArrayList<>();
    delta.upserted().forEach(change -> after.add(change.after()));
    SetChanges changes = contents.replace(servers.before(delta), after, placement);
    Changes addresses = around(changes, () -> servers.apply(delta, placement), false);
    if (phase == Phase.ACTIVE) {
      rules.forEach(
          each ->
              StaleFlows.endChanged(each.family(), delta.upserted(), placement.nodeAddresses()));
    }
    return new SyncResult(
        servers.written() + changes.added() + addresses.written(),
        servers.deleted() + changes.removed() + addresses.deleted(),
        refused(all));
  }

  void applyNodePortAddresses(Set<Address> addresses) {
    trusted();
    Placement before = placement;
    Placement after = Placement.read(options, device, addresses);
    if (!after.equals(before)) {
      servers.distrust();
      servers.checkMove(after, ipvs::has);
      Set<SetEntry> present = Set.copyOf(contents.entries());
      placement = after;
      contents.reset(servers.ports(), after);
      around(contents.from(present), () -> servers.move(before, after), false);
    }
  }

  IpvsKernelState read() {
    IpSets.Read present = sets.read();
    ServerTable table = ServerTable.read(ipvs, ownership(present));
    List<String> defects = ServerDefects.find(table, scheduler, placement, placement.moved(device));
    defects.addAll(kernel.defects(ipvs));
    defects.addAll(present.defects());
    for (Rules each : rules) {
      defects.addAll(each.defects(phase == Phase.ACTIVE));
    }
    SetChanges changes = contents.from(present.entries());
    if (changes.added() + changes.removed() > 0) {
      defects.add(
          "The IP sets lack %d entries and have %d too many."
              .formatted(changes.added(), changes.removed()));
    }
    if (phase == Phase.ACTIVE) {
      Set<InetAddress> bound = device.addresses();
      Set<InetAddress> missing = new HashSet<>(contents.serviceAddresses());
      missing.removeAll(bound);
      addressDefect("lacks", missing, defects);
      addressDefect("has without a Service", surplus(bound), defects);
    }
    return new IpvsKernelState(table, defects, kernel.report(ipvs, noted.before()));
  }

  private static void addressDefect(
      String what, Collection<InetAddress> addresses, List<String> defects) {
    if (!addresses.isEmpty()) {
      defects.add(
          "The device %s %s the address %s and %d more."
              .formatted(
                  IpvsDataplane.DEVICE,
                  what,
                  addresses.iterator().next().getHostAddress(),
                  addresses.size() - 1));
    }
  }

  /** The addresses on the device that no Service has, but those that were excluded. */
  private Set<InetAddress> surplus(Collection<InetAddress> bound) {
    Set<InetAddress> surplus = new HashSet<>(bound);
    surplus.removeAll(contents.serviceAddresses());
    surplus.removeIf(address -> options.excludes(Address.of(address)));
    return surplus;
  }

  /** Hands connections over to conntrack, and goes on with virtual servers that have none. */
  void handOverFlows() {
    trusted();
    Ownership ownership = ownership(sets.read());
    servers.distrust();
    try (FlowHandover handover = new FlowHandover(rules, sets)) {
      servers.remake(handover.deleteBusy(ipvs, ownership::owns, device.addresses()));
    }
  }

  /**
   * Takes away real servers whose last connection has ended, and UDP flows that others translate to
   * where none is any more: the table nat comes before ip_vs.
   */
  SyncResult maintain() {
    if (phase == Phase.ACTIVE) {
      rules.forEach(
          each -> StaleFlows.end(each.family(), servers.ports(), placement.nodeAddresses()));
    }
    int reaped = servers.reap();
    return reaped == 0 ? SyncResult.NONE : new SyncResult(0, reaped, List.of());
  }

  @Override
  public void close() {
    device.close();
    ipvs.close();
  }

  /** How much of the device's addresses was changed. */
  private record Changes(int written, int deleted) {}

  /**
   * Changes virtual servers between the portions of the sets and of the addresses.
   *
   * @param all whether all addresses are compared with those that are there
   */
  private Changes around(SetChanges changes, Runnable write, boolean all) {
    Collection<InetAddress> bound = inet(changes.bound());
    Collection<InetAddress> unbound = inet(changes.unbound());
    if (all) {
      Set<InetAddress> present = device.addresses();
      unbound = surplus(present);
      bound = contents.serviceAddresses();
      bound.removeAll(present);
    }
    boolean binding = phase == Phase.ACTIVE || phase == Phase.DRAINING;
    sets.add(changes.early());
    write.run();
    sets.add(changes.late());
    if (binding) {
      device.add(bound);
    }
    sets.delete(changes.first());
    if (binding) {
      device.remove(unbound);
    }
    servers.deleteGone();
    sets.delete(changes.last());
    return binding ? new Changes(bound.size(), unbound.size()) : new Changes(0, 0);
  }

  /** Makes the device, remembers the kernel's settings on it and only then changes them. */
  private int note() {
    boolean made = device.create();
    int written = made ? 1 : 0;
    Note before = Note.parse(device.alias());
    boolean first = before.phase() == Phase.ABSENT;
    phase = first ? Phase.PREPARED : before.phase();
    Note after =
        new Note(
            phase,
            first ? !made : before.found(),
            // A device that was deleted took its note with it.
            kernel.remember(ipvs, kernel.release(ipvs, (first ? noted : before).before())));
    if (!after.equals(before)) {
      device.setAlias(after.toString());
      written++;
    }
    noted = after;
    return written + kernel.apply(ipvs);
  }

  /** What was noted on the device when it was prepared last. */
  Note noted() {
    return noted;
  }

  private void enter(Phase next) {
    Note before = Note.parse(device.alias());
    device.setAlias(before.in(next).toString());
    phase = next;
  }

  private void trusted() {
    if (!servers.trusted()) {
      throw new DataplaneException(
          "an earlier write failed; repair with the whole desired state first", null);
    }
  }

  /** Families that this node does not have cannot be served. */
  static List<ServicePort> served(Collection<ServicePort> ports, List<Rules> rules) {
    Set<IpFamily> families = new HashSet<>(rules.stream().map(Rules::family).toList());
    return ports.stream().filter(port -> families.contains(port.id().family())).toList();
  }

  private List<SyncResult.Refused> refused(Collection<ServicePort> ports) {
    List<SyncResult.Refused> refused = new ArrayList<>(servers.refused());
    Set<ServicePort> served = new HashSet<>(served(ports, rules));
    for (ServicePort port : ports) {
      if (!served.contains(port)) {
        String why = port.id().text() + " has an IPv6 address, but this node's kernel has no IPv6";
        refused.add(new SyncResult.Refused(port.id(), why));
      }
    }
    return refused;
  }

  private Ownership ownership(IpSets.Read present) {
    return new Ownership(
        options,
        present,
        device.addresses(),
        Placement.takenOver(noted.in(phase), device),
        servers.served());
  }

  private static List<InetAddress> inet(List<Address> addresses) {
    return addresses.stream().map(Address::inet).toList();
  }
}
