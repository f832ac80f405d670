// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.DeviceMonitor;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Follows the devices of the network namespace that it was made in: the packet programs run on each
 * that receives packets which this node routes, and the map {@code device} knows its addresses.
 * Safe for use by several threads.
 */
final class Devices implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Devices.class);

  /** Ports of these hand their packets to the device above them. */
  private static final Set<String> MASTERS = Set.of("bridge", "bond", "team", "openvswitch");

  private final DeviceAttachment attachment;
  private final DeviceAddresses addresses;
  private final RtNetlink netlink = new RtNetlink();
  private final Map<Integer, String> failures = new TreeMap<>();
  private Map<Integer, DeviceAddresses.Primary> lastAddresses = Map.of();
  private @Nullable DeviceMonitor monitor;

  Devices(DeviceAttachment attachment, DeviceAddresses addresses) {
    this.attachment = attachment;
    this.addresses = addresses;
  }

  /** Whether the programs run on a device. */
  static boolean wanted(NetworkDevice device) {
    return !device.loopback() && !MASTERS.contains(device.slaveKind());
  }

  /** Begins to follow changes; the first look is taken before it returns. */
  int follow() {
    int changed = refresh();
    synchronized (this) {
      if (monitor == null) {
        monitor = new DeviceMonitor(this::refreshOrLog);
      }
    }
    return changed;
  }

  /** Makes attachments and addresses as they shall be; returns how many it changed. */
  synchronized int refresh() {
    List<NetworkDevice> devices = netlink.devices();
    Map<Integer, NetworkDevice> wanted = new TreeMap<>();
    devices.stream().filter(Devices::wanted).forEach(device -> wanted.put(device.index(), device));
    Map<Integer, DeviceAddresses.Primary> primaries = wantedAddresses(devices);
    int changed = addresses.sync(primaries);
    lastAddresses = primaries;
    failures.keySet().retainAll(wanted.keySet());
    for (NetworkDevice device : wanted.values()) {
      changed += attach(device) ? 1 : 0;
    }
    attachment.retain(wanted.keySet(), netlink);
    return changed;
  }

  /** What is not as it shall be, each a sentence. */
  synchronized List<String> defects() {
    List<NetworkDevice> devices = netlink.devices();
    if (!wantedAddresses(devices).equals(lastAddresses)) {
      // Something changed and the monitor has not told yet: that is no defect.
      refresh();
      devices = netlink.devices();
    }
    List<String> defects = new ArrayList<>(failures.values());
    for (NetworkDevice device : devices) {
      if (wanted(device) && !failures.containsKey(device.index())) {
        String defect = attachment.defect(device.index(), device.name(), netlink);
        if (!defect.isEmpty()) {
          defects.add(defect);
        }
      }
    }
    if (!addresses.read().equals(lastAddresses)) {
      defects.add("The map " + Layout.DEVICE + " does not hold the addresses of the devices.");
    }
    return defects;
  }

  @Override
  public void close() {
    DeviceMonitor running;
    synchronized (this) {
      running = monitor;
      monitor = null;
    }
    // Outside the lock: the monitor's thread may be waiting for it.
    if (running != null) {
      running.close();
    }
    synchronized (this) {
      netlink.close();
      attachment.close();
    }
  }

  private Map<Integer, DeviceAddresses.Primary> wantedAddresses(List<NetworkDevice> devices) {
    List<Integer> indexes =
        devices.stream().filter(Devices::wanted).map(NetworkDevice::index).toList();
    return DeviceAddresses.wanted(indexes, netlink.addresses());
  }

  /** One device that refuses the programs must not keep them from the others. */
  private boolean attach(NetworkDevice device) {
    try {
      boolean changed = attachment.attach(device.index());
      failures.remove(device.index());
      return changed;
    } catch (KernelException e) {
      if (e.errno() != Errno.ENODEV) { // gone since it was listed
        failures.put(device.index(), "Device " + device.name() + ": " + e.getMessage() + ".");
      }
      return false;
    }
  }

  private void refreshOrLog() {
    try {
      refresh();
    } catch (RuntimeException e) {
      LOG.error("Devices could not be followed; the next change or proof tries again", e);
    }
  }
}
