// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Entries to add to IP sets and to take away, in four portions around the change of the virtual
 * servers. The filter on kube-ipvs0's addresses lets in what is in a set, so a frontend at an
 * address that is there already is let in only after its virtual server has come, and shut out
 * before it goes: else packets would reach a socket of the host. Whatever else tells whose a
 * virtual server is comes before it and goes after it, lest nobody's is left when the agent is
 * killed.
 *
 * @param early added before virtual servers
 * @param late added after them
 * @param first taken away before virtual servers
 * @param last taken away after them
 */
record SetChanges(
    List<SetEntry> early, List<SetEntry> late, List<SetEntry> first, List<SetEntry> last) {
  /**
   * Sorts entries.
   *
   * @param wanted all that there shall be afterwards
   */
  static SetChanges of(Set<SetEntry> added, Set<SetEntry> removed, Set<SetEntry> wanted) {
    SetChanges changes =
        new SetChanges(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (SetEntry entry : added) {
      boolean open = isFiltered(entry, wanted) && !added.contains(address(entry));
      (open ? changes.late : changes.early).add(entry);
    }
    for (SetEntry entry : removed) {
      (isFiltered(entry, wanted) ? changes.first : changes.last).add(entry);
    }
    return changes;
  }

  /** Whether it lets in at an address that stays; those of the host itself are not filtered. */
  private static boolean isFiltered(SetEntry entry, Set<SetEntry> wanted) {
    return entry.set().holdsFrontends() && wanted.contains(address(entry));
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

  private static SetEntry address(SetEntry frontend) {
    String host = frontend.text().substring(0, frontend.text().indexOf(','));
    return new SetEntry(SetName.SERVICE_ADDRESSES, frontend.family(), host);
  }
}
