// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Matches what is in the maps with what shall be there, so that only differences are written. */
final class NatAdoption {
  private final NatTable table;
  private final FrontendRows frontends;
  private final BackendRows backends;
  private final int scheduler;
  private final BitSet adoptedSets = new BitSet();
  private final Set<Integer> services = new HashSet<>();

  NatAdoption(NatTable table, int scheduler) {
    this.table = table;
    this.frontends = table.frontends;
    this.backends = table.backends;
    this.scheduler = scheduler;
  }

  /** The entry of a port whose backends are in the maps already, null when none fits. */
  @Nullable NatEntry adopt(ServicePort port) {
    for (int i = 0; i < port.frontends().size(); i++) {
      int row = find(port.frontends().get(i));
      if (row < 0) {
        continue;
      }
      int set = table.setOf[row];
      int service = frontends.service[row];
      if (adoptedSets.get(set)
          || frontends.set[row] == 0
          || service == 0
          || frontends.count[row] != port.backends().size()
          || services.contains(service)
          || !sameBackends(set, port)) {
        continue;
      }
      adoptedSets.set(set);
      services.add(service);
      return new NatEntry(port, frontends.set[row], service);
    }
    return null;
  }

  /** Writes the frontends of an adopted entry that are missing or say something else. */
  void rewrite(NatEntry entry, NatWriter writer) {
    List<Frontend> all = entry.port().frontends();
    for (int i = 0; i < all.size(); i++) {
      Frontend frontend = all.get(i);
      int row = find(frontend);
      if (row < 0 || !entry.matches(frontends, row, Layout.kind(frontend.kind()), scheduler)) {
        writer.putFrontend(frontend, entry);
      }
    }
  }

  /** The number that a changed port had before, 0 when it is not known or taken. */
  int service(ServicePort port) {
    for (int i = 0; i < port.frontends().size(); i++) {
      int row = find(port.frontends().get(i));
      if (row >= 0 && frontends.service[row] != 0 && services.add(frontends.service[row])) {
        return frontends.service[row];
      }
    }
    return 0;
  }

  /** How many of a port's frontends are not in the map yet. */
  int newFrontends(ServicePort port) {
    int missing = 0;
    for (int i = 0; i < port.frontends().size(); i++) {
      missing += find(port.frontends().get(i)) < 0 ? 1 : 0;
    }
    return missing;
  }

  /** Deletes entries that no entry of the new state has; returns how many. */
  int deleteStaleFrontends(Collection<NatEntry> wanted, NatWriter writer) {
    BitSet kept = new BitSet(frontends.size);
    for (NatEntry entry : wanted) {
      List<Frontend> all = entry.port().frontends();
      for (int i = 0; i < all.size(); i++) {
        int row = find(all.get(i));
        if (row >= 0) {
          kept.set(row);
        }
      }
    }
    int stale = 0;
    for (int row = kept.nextClearBit(0); row < frontends.size; row = kept.nextClearBit(row + 1)) {
      writer.deleteFrontend(frontends, row);
      stale++;
    }
    return stale;
  }

  /** Deletes backends of sets that were not adopted; returns how many. */
  int deleteStaleBackends(NatWriter writer) {
    int stale = 0;
    for (int row = 0; row < backends.size; row++) {
      int position = table.position(row);
      if (position < 0 || !adoptedSets.get(setAt(row))) {
        writer.deleteBackend(backends.set[row], backends.ordinal[row]);
        stale++;
      }
    }
    return stale;
  }

  private int setAt(int row) {
    return table.setIndex(backends.set[row]);
  }

  private int find(Frontend frontend) {
    return frontends.find(
        frontend.address().high(),
        frontend.address().low(),
        frontend.port(),
        frontend.protocol().number());
  }

  private boolean sameBackends(int set, ServicePort port) {
    List<Backend> wanted = port.backends();
    if (table.length[set] != wanted.size() || table.terminating[set] != port.terminating().size()) {
      return false;
    }
    int ordinal = 0;
    for (int pass = 0; pass < 2; pass++) {
      boolean local = pass == 0;
      for (int i = 0; i < wanted.size(); i++) {
        Backend backend = wanted.get(i);
        if (backend.local() == local
            && !same(table.rowAt[table.offset[set] + ordinal++], backend)) {
          return false;
        }
      }
    }
    for (Backend backend : port.terminating()) {
      if (!same(table.rowAt[table.offset[set] + ordinal++], backend)) {
        return false;
      }
    }
    return true;
  }

  private boolean same(int row, Backend wanted) {
    return row != NatTable.NO_ROW
        && backends.high[row] == wanted.address().high()
        && backends.low[row] == wanted.address().low()
        && backends.port(row) == wanted.port()
        && backends.weight(row) == 1
        && backends.flags[row] == (wanted.local() ? Layout.BE_LOCAL : 0)
        && backends.inner[row] == backends.set[row];
  }
}
