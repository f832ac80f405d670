// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import java.nio.file.Files;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Counts entries of the maps that Services, the node's addresses and its devices bring, by looking
 * at what is pinned, or by what there will be when nothing is. Makes, loads and pins nothing.
 */
final class Forecast {
  private final Pins pins;
  private final MapSizes sizes;
  private final DataplaneSettings settings;
  private final int scheduler;

  Forecast(BpfOptions options, DataplaneSettings settings, int scheduler) {
    this.pins = new Pins(options.pinRoot());
    this.sizes = options.sizes();
    this.settings = settings;
    this.scheduler = scheduler;
  }

  /** The pinned maps that hold entries of Services and of the node. */
  private record Pinned(
      BpfMap frontends, BpfMap backends, BpfMap addresses, BpfMap devices, BpfMap config)
      implements AutoCloseable {
    @Override
    public void close() {
      List.of(frontends, backends, addresses, devices, config).forEach(BpfMap::close);
    }
  }

  /** What is to be written so that the maps hold the desired state and the programs take flows. */
  PlannedWrites writes(DesiredState desired) {
    Map<Integer, DeviceAddresses.Primary> devices = devices();
    long bytes = MapMemory.bytes(Programs.definitions(sizes), used(desired, devices.size()));
    if (!present()) {
      // One more for the settings in the map config.
      long written =
          services(desired.ports()) + desired.nodePortAddresses().size() + devices.size();
      return new PlannedWrites(written + 1, 0, bytes);
    }
    try (Pinned pinned = open();
        NatMaps nat = NatMaps.counting(pinned.frontends(), pinned.backends(), scheduler)) {
      SyncResult services = nat.reconcile(desired);
      Set<Address> addresses = new NodeAddresses(pinned.addresses()).read();
      Map<Integer, DeviceAddresses.Primary> known = new DeviceAddresses(pinned.devices()).read();
      Config config = Config.read(pinned.config());
      long written =
          services.written()
              + desired.nodePortAddresses().stream().filter(a -> !addresses.contains(a)).count()
              + devices.keySet().stream()
                  .filter(it -> !Objects.equals(devices.get(it), known.get(it)))
                  .count()
              + (config.equals(Config.wanted(Phase.ACTIVE, settings)) ? 0 : 1);
      long deleted =
          services.deleted()
              + addresses.stream().filter(a -> !desired.nodePortAddresses().contains(a)).count()
              + known.keySet().stream().filter(it -> !devices.containsKey(it)).count();
      return new PlannedWrites(written, deleted, bytes);
    }
  }

  /** What is in the maps, and the flows in ct that may still be in use. */
  Holdings holdings() {
    if (!present()) {
      return Holdings.NONE;
    }
    try (Pinned pinned = open();
        NatReader nat = new NatReader(pinned.frontends(), pinned.backends());
        BpfMap ct = BpfMap.openPinned(pins.map(Layout.CT))) {
      NatTable table = nat.read();
      long entries =
          1L
              + table.frontends.size
              + table.backends.size
              + new NodeAddresses(pinned.addresses()).read().size()
              + new DeviceAddresses(pinned.devices()).read().size();
      return new Holdings(entries, FlowCounter.count(ct));
    }
  }

  /** Whether all maps are pinned; what a crash left half-made is made anew. */
  private boolean present() {
    return Stream.of(
            Layout.NAT_FE, Layout.NAT_BE, Layout.NODE_ADDR, Layout.DEVICE, Layout.CONFIG, Layout.CT)
        .allMatch(name -> Files.exists(pins.map(name)));
  }

  private Pinned open() {
    return new Pinned(
        BpfMap.openPinned(pins.map(Layout.NAT_FE)),
        BpfMap.openPinned(pins.map(Layout.NAT_BE)),
        BpfMap.openPinned(pins.map(Layout.NODE_ADDR)),
        BpfMap.openPinned(pins.map(Layout.DEVICE)),
        BpfMap.openPinned(pins.map(Layout.CONFIG)));
  }

  /** Entries of all ports, without those that the maps have no room for. */
  private long services(Collection<ServicePort> ports) {
    long frontends = 0;
    long backends = 0;
    for (ServicePort port : ports) {
      if (frontends + port.frontends().size() <= sizes.frontends()
          && backends + NatEntry.rows(port) <= sizes.backends()) {
        frontends += port.frontends().size();
        backends += NatEntry.rows(port);
      }
    }
    return frontends + backends;
  }

  private static Map<String, Long> used(DesiredState desired, int devices) {
    long frontends = desired.ports().stream().mapToLong(port -> port.frontends().size()).sum();
    long backends = desired.ports().stream().mapToLong(NatEntry::rows).sum();
    return Map.of(
        Layout.NAT_FE,
        frontends,
        Layout.NAT_BE,
        backends,
        Layout.NODE_ADDR,
        (long) desired.nodePortAddresses().size(),
        Layout.DEVICE,
        (long) devices);
  }

  private static Map<Integer, DeviceAddresses.Primary> devices() {
    try (RtNetlink netlink = new RtNetlink()) {
      List<Integer> indexes =
          netlink.devices().stream().filter(Devices::wanted).map(NetworkDevice::index).toList();
      return DeviceAddresses.wanted(indexes, netlink.addresses());
    }
  }
}
