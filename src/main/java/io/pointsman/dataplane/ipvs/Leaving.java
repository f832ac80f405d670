// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.iptables.ChainSearch;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.VirtualServer;
import io.pointsman.kernel.VirtualServerInfo;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is done to the kernel's state without knowing what it shall be; one for each deed. */
final class Leaving {
  private final IpvsOptions options;
  private @Nullable List<Rules> rules;

  Leaving(IpvsOptions options) {
    this.options = options;
  }

  /** Looked for once: reading all tables takes longest where there are many rules. */
  private List<Rules> rules() {
    List<Rules> found = rules;
    if (found == null) {
      found = RulePlaces.find(options);
      rules = found;
    }
    return found;
  }

  static Phase phase() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      return Note.parse(device.alias()).phase();
    }
  }

  /**
   * Notes the phase and hands connections over; virtual servers whose connections cannot be stay
   * with the addresses, and others take new ones before they come here. Returns the connections
   * that are left; none when a kube-proxy in its ipvs mode goes on with them.
   */
  DrainState drain() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      Note note = Note.parse(device.alias());
      if (note.phase() == Phase.ABSENT) {
        return DrainState.carrying(0);
      }
      enterDraining(device, note);
      if (!handedOver().isEmpty()) {
        return DrainState.carrying(0);
      }
      try (FlowHandover handover = handover()) {
        return drain(device, ownership(device, Set.of()), handover);
      }
    }
  }

  /** The same once others have taken new flows, which this makes them do. */
  DrainState drainAfter(Runnable takeOver) {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      Note note = Note.parse(device.alias());
      if (note.phase() == Phase.ABSENT || !handedOver().isEmpty()) {
        takeOver.run();
        return drain();
      }
      Ownership ownership = ownership(device, Set.of());
      try (FlowHandover handover = handover()) {
        handover.prepare();
        takeOver.run();
        enterDraining(device, note);
        return drain(device, ownership, handover);
      }
    }
  }

  private static void enterDraining(DummyDevice device, Note note) {
    if (note.phase() != Phase.DRAINING) {
      device.setAlias(note.in(Phase.DRAINING).toString());
    }
  }

  /** The same of what a kube-proxy in its ipvs mode left behind. */
  DrainState drainServers(Set<Address> nodePortAddresses) {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        FlowHandover handover = handover()) {
      return drain(device, ownership(device, nodePortAddresses), handover);
    }
  }

  /**
   * Once others have taken new flows, which this makes them do, hands over those of a kube-proxy in
   * its ipvs mode and leaves its virtual servers to it.
   */
  void forgetAfter(Runnable takeOver, Set<Address> nodePortAddresses) {
    Optional<IpvsNetlink> found = IpvsNetlink.open();
    if (found.isEmpty()) {
      takeOver.run(); // the module has gone, and its connections with it
      return;
    }
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        IpvsNetlink ipvs = found.get();
        FlowHandover handover = handover()) {
      Ownership ownership = ownership(device, nodePortAddresses);
      handover.prepare();
      takeOver.run();
      handover.forget(ipvs, ownership::owns, Set.copyOf(device.addresses()));
    }
  }

  private DrainState drain(DummyDevice device, Ownership ownership, FlowHandover handover) {
    Optional<IpvsNetlink> found = IpvsNetlink.open();
    if (found.isEmpty()) {
      return DrainState.carrying(0); // the module has gone, and its connections with it
    }
    try (IpvsNetlink ipvs = found.get()) {
      return handover.drain(ipvs, ownership::owns, Set.copyOf(device.addresses()));
    }
  }

  /** The families in which a kube-proxy in its ipvs mode goes on with the same servers. */
  Set<IpFamily> handedOver() {
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (Rules rules : rules()) {
      if (rules.sharedWithKubeProxy()) {
        families.add(rules.family());
      }
    }
    return families;
  }

  /**
   * Takes everything away, or leaves it to a kube-proxy in its ipvs mode: to one that has come, and
   * to one whose device was found and who serves as long as this dataplane does not. The device
   * goes last: as long as it is there with its note, whoever comes after a crash finishes this.
   *
   * @param noted what this dataplane has noted, for when the device was deleted with its note
   */
  void remove(Note noted) {
    letGo();
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      Note note = Note.parse(device.alias());
      if (note.phase() == Phase.ABSENT) {
        if (noted.phase() != Phase.ABSENT || !leftovers().isEmpty()) {
          removeUnnoted(device, noted);
        }
        return;
      }
      if (note.found() && note.phase() == Phase.PREPARED) {
        try (IpvsNetlink ipvs = ipvs()) {
          new Settings(options).restore(ipvs, note.before());
        }
        release(device);
        return;
      }
      if (!handedOver().isEmpty()) {
        release(device);
        return;
      }
      Ownership ownership = ownership(device, Set.of());
      try (IpvsNetlink ipvs = ipvs();
          FlowHandover handover = handover()) {
        handover.around(
            ownership::owns,
            () -> {
              device.remove(device.addresses());
              delete(ipvs, ownership::owns);
            });
        rules().forEach(Rules::remove);
        sets().destroy();
        new Settings(options).restore(ipvs, note.before());
      }
      device.delete();
    }
  }

  /**
   * Deletes the virtual servers of Services, whoever made them; sets and device tell which. Their
   * flows live on.
   */
  void removeServers(Set<Address> nodePortAddresses) {
    Optional<IpvsNetlink> found = IpvsNetlink.open();
    if (found.isEmpty()) {
      return; // the module has gone, and its virtual servers with it
    }
    letGo();
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        IpvsNetlink ipvs = found.get();
        FlowHandover handover = handover()) {
      Ownership ownership = ownership(device, nodePortAddresses);
      handover.around(ownership::owns, () -> delete(ipvs, ownership::owns));
    }
  }

  /** Lets packets go on that are held, if there are any. */
  void letGo() {
    Set<String> held =
        Stream.of(IpFamily.values()).map(SetName.HELD::text).collect(Collectors.toSet());
    if (sets().own().stream().anyMatch(held::contains)) {
      new Held(rules(), sets()).letGo();
    }
  }

  private FlowHandover handover() {
    return new FlowHandover(rules(), sets());
  }

  /** Deletes virtual servers, and their connections with them. */
  static void delete(IpvsNetlink ipvs, Predicate<VirtualServer> which) {
    ipvs.virtualServers().stream()
        .map(VirtualServerInfo::server)
        .filter(which)
        .forEach(ipvs::delete);
    ipvs.flush();
  }

  /** Takes away only what tells that it is Pointsman's. */
  private void release(DummyDevice device) {
    releaseRules();
    device.setAlias("");
  }

  private void releaseRules() {
    rules().forEach(Rules::release);
    sets().destroy(SetName.NODE_ADDRESSES, SetName.EXCLUDED);
  }

  /**
   * The device went with its note. A kube-proxy in its nftables mode deletes it as it starts, and
   * all that has kube-proxy's names; whoever else did so left that here, and the sets tell it.
   */
  private void removeUnnoted(DummyDevice device, Note noted) {
    Optional<IpvsNetlink> found = IpvsNetlink.open();
    try (IpvsNetlink ipvs = found.orElse(null);
        FlowHandover handover = handover()) {
      if (device.exists() || !handedOver().isEmpty()) {
        releaseRules();
      } else {
        if (ipvs != null) {
          Ownership ownership = ownership(device, Set.of());
          handover.around(ownership::owns, () -> delete(ipvs, ownership::owns));
        }
        rules().forEach(Rules::remove);
        sets().destroy();
      }
      new Settings(options).restore(ipvs, noted.before());
    }
  }

  /** What only this dataplane has, in words. */
  List<String> leftovers() {
    List<String> left = ChainSearch.find(options.commands(), RulePlan.OWN);
    sets().own().forEach(set -> left.add("ipset " + set));
    if (phase() != Phase.ABSENT) {
      left.add("device " + IpvsDataplane.DEVICE);
    }
    return left;
  }

  private Ownership ownership(DummyDevice device, Set<Address> nodePortAddresses) {
    return ownership(options, sets().read(), device, nodePortAddresses);
  }

  /** By what is in the kernel, excluded ranges included, which the options may name no more. */
  static Ownership ownership(
      IpvsOptions options,
      IpSets.Read present,
      DummyDevice device,
      Set<Address> nodePortAddresses) {
    List<AddressRange> excluded = new ArrayList<>(options.excludeRanges());
    present.entries().stream()
        .filter(entry -> entry.set() == SetName.EXCLUDED)
        .forEach(entry -> excluded.add(AddressRange.parse(entry.text())));
    return new Ownership(
        options.excluding(excluded), present, device.addresses(), nodePortAddresses, Set.of());
  }

  private IpSets sets() {
    return new IpSets(options.commands(), List.of(IpFamily.values()));
  }

  static IpvsNetlink ipvs() {
    return IpvsNetlink.open()
        .orElseThrow(() -> new DataplaneException("The kernel has no ip_vs: modprobe ip_vs", null));
  }
}
