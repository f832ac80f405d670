// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Programs and maps while they are open: everything that needs them loaded. */
final class Session implements AutoCloseable {
  private final DataplaneSettings settings;
  private final int scheduler;
  private final Programs programs;
  private final SocketLinks sockets;
  private final Devices devices;
  private final NatMaps nat;
  private final NodeAddresses nodeAddresses;
  private final BpfMap config;
  private Set<Address> wantedNodeAddresses = Set.of();

  Session(BpfOptions options, DataplaneSettings settings, int scheduler) {
    this.settings = settings;
    this.scheduler = scheduler;
    Pins pins = new Pins(options.pinRoot());
    Path cgroup = options.cgroupRoot();
    this.programs = new Programs(pins, options.sizes());
    this.sockets = new SocketLinks(programs, pins, cgroup);
    DeviceAttachment attachment =
        options.tcx() ? new TcxAttachment(programs, pins) : new FilterAttachment(programs);
    this.devices = new Devices(attachment, new DeviceAddresses(programs.map(Layout.DEVICE)));
    this.nat = new NatMaps(programs.map(Layout.NAT_FE), programs.map(Layout.NAT_BE), scheduler);
    this.nodeAddresses = new NodeAddresses(programs.map(Layout.NODE_ADDR));
    this.config = programs.map(Layout.CONFIG);
  }

  /** Maps first, so that programs of an active dataplane never run on empty ones. */
  SyncResult prepare(DesiredState desired) {
    int written = configure();
    SyncResult result = nat.reconcile(desired);
    NodeAddresses.Changes addresses = applyNodePortAddresses(desired.nodePortAddresses());
    devices.follow();
    sockets.attach();
    return new SyncResult(
        written + result.written() + addresses.written(),
        result.deleted() + addresses.deleted(),
        result.refused());
  }

  SyncResult repair(DesiredState desired) {
    // Each is attached and pinned again by what follows.
    int mended = programs.repairPins() + sockets.defects().size();
    SyncResult result = prepare(desired);
    mended += devices.refresh();
    return new SyncResult(result.written() + mended, result.deleted(), result.refused());
  }

  SyncResult apply(DesiredState.Delta delta) {
    if (!nat.trusted()) {
      throw new DataplaneException(
          "apply change: an earlier write failed; repair with the whole desired state first", null);
    }
    return nat.apply(delta);
  }

  NodeAddresses.Changes applyNodePortAddresses(Set<Address> addresses) {
    wantedNodeAddresses = Set.copyOf(addresses);
    return nodeAddresses.sync(wantedNodeAddresses);
  }

  BpfKernelState read() {
    NatTable table = nat.read();
    List<String> defects = new ArrayList<>(programs.defects());
    defects.addAll(sockets.defects());
    defects.addAll(devices.defects());
    defects.addAll(NatDefects.find(table, scheduler));
    if (!nodeAddresses.read().equals(wantedNodeAddresses)) {
      defects.add("The map " + Layout.NODE_ADDR + " does not hold the node-port addresses.");
    }
    Config now = Config.read(config);
    if (!now.equals(wantedConfig(now.phase()))) {
      defects.add("The map " + Layout.CONFIG + " holds other settings than this agent's.");
    }
    return new BpfKernelState(table, defects);
  }

  BpfMap map(String name) {
    return programs.map(name);
  }

  @Override
  public void close() {
    devices.close();
    nat.close();
    programs.close();
  }

  private int configure() {
    Config before = Config.read(config);
    Config wanted = wantedConfig(before.phase());
    if (wanted.equals(before)) {
      return 0;
    }
    wanted.write(config);
    return 1;
  }

  private Config wantedConfig(Phase phase) {
    return Config.wanted(phase, settings);
  }
}
