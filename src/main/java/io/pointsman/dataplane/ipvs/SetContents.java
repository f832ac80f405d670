// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.ServicePort;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the IP sets shall hold, and how many Service ports need each entry. */
final class SetContents {
  private final Map<SetEntry, Integer> counts = new HashMap<>();
  private final List<AddressRange> excluded;

  /** With ranges that are always among them. */
  SetContents(List<AddressRange> excluded) {
    this.excluded = excluded;
  }

  /** Begins anew with these. */
  void reset(Collection<ServicePort> ports, Placement placement) {
    counts.clear();
    ports.forEach(port -> SetEntry.forEach(port, placement, this::add));
    excluded.forEach(range -> SetEntry.forEach(range, this::add));
    placement
        .nodeAddresses()
        .forEach(address -> add(SetEntry.address(SetName.NODE_ADDRESSES, address)));
  }

  /** Takes ports away and others in; returns what that means for the sets. */
  SetChanges replace(
      Collection<ServicePort> before, Collection<ServicePort> after, Placement placement) {
    Set<SetEntry> added = new HashSet<>();
    Set<SetEntry> removed = new HashSet<>();
    after.forEach(
        port ->
            SetEntry.forEach(
                port,
                placement,
                entry -> {
                  if (add(entry)) {
                    added.add(entry);
                  }
                }));
    before.forEach(
        port ->
            SetEntry.forEach(
                port,
                placement,
                entry -> {
                  if (remove(entry) && !added.remove(entry)) {
                    removed.add(entry);
                  }
                }));
    return SetChanges.of(added, removed, counts.keySet());
  }

  /** What is to be done to sets that hold this. */
  SetChanges from(Set<SetEntry> present) {
    Set<SetEntry> added = new HashSet<>(counts.keySet());
    added.removeAll(present);
    Set<SetEntry> removed = new HashSet<>(present);
    removed.removeAll(counts.keySet());
    return SetChanges.of(added, removed, counts.keySet());
  }

  /** The addresses that belong on the device. */
  Set<InetAddress> serviceAddresses() {
    Set<InetAddress> found = new HashSet<>();
    for (SetEntry entry : counts.keySet()) {
      if (entry.set() == SetName.SERVICE_ADDRESSES) {
        found.add(Address.parse(entry.text()).inet());
      }
    }
    return found;
  }

  Set<SetEntry> entries() {
    return counts.keySet();
  }

  private boolean add(SetEntry entry) {
    return counts.merge(entry, 1, Integer::sum) == 1;
  }

  private boolean remove(SetEntry entry) {
    return counts.computeIfPresent(entry, (key, n) -> n == 1 ? null : n - 1) == null;
  }
}
