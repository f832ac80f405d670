// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Entries to add to IP sets and to take away, in four portions around the change of the virtual
 * servers. The filter on kube-ipvs0's addresses lets in what is in a set, so a frontend at an
 * address that is there already is let in only after its virtual server has come, and shut out
 * before it goes: else packets would reach a socket of the host.
 *
 * @param early added before virtual servers
 * @param late added after them
 * @param first taken away before virtual servers
 * @param last taken away after them
 */
record SetChanges(
    List<SetEntry> early, List<SetEntry> late, List<SetEntry> first, List<SetEntry> last) {
  static SetChanges of(Set<SetEntry> added, Set<SetEntry> removed) {
    SetChanges changes =
        new SetChanges(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    Set<String> newAddresses = addresses(added);
    for (SetEntry entry : added) {
      boolean open = entry.set().holdsFrontends() && !newAddresses.contains(host(entry));
      (open ? changes.late : changes.early).add(entry);
    }
    Set<String> goneAddresses = addresses(removed);
    for (SetEntry entry : removed) {
      boolean open = entry.set().holdsFrontends() && !goneAddresses.contains(host(entry));
      (open ? changes.first : changes.last).add(entry);
    }
    return changes;
  }

  int added() {
    return early.size() + late.size();
  }

  int removed() {
    return first.size() + last.size();
  }

  /** Addresses to be put on kube-ipvs0. */
  List<Address> bound() {
    return serviceAddresses(early);
  }

  /** Addresses to be taken off. */
  List<Address> unbound() {
    return serviceAddresses(last);
  }

  private static List<Address> serviceAddresses(List<SetEntry> entries) {
    return entries.stream()
        .filter(entry -> entry.set() == SetName.SERVICE_ADDRESSES)
        .map(entry -> Address.parse(entry.text()))
        .toList();
  }

  private static Set<String> addresses(Set<SetEntry> entries) {
    Set<String> found = new HashSet<>();
    for (SetEntry entry : entries) {
      if (entry.set() == SetName.SERVICE_ADDRESSES) {
        found.add(entry.text());
      }
    }
    return found;
  }

  private static String host(SetEntry entry) {
    return entry.text().substring(0, entry.text().indexOf(','));
  }
}
