// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Keeps nat_fe and nat_be as the cluster's Services want them. A changed backend set is written
 * under a new id, then its frontends are switched, then the old set is deleted. For one thread at a
 * time.
 */
final class NatMaps implements AutoCloseable {
  private final BpfMap natFe;
  private final BpfMap natBe;
  private final int scheduler;
  private final NatReader reader;
  private final NatWriter writer;
  private final NatIds setIds = new NatIds();
  private final NatIds serviceIds = new NatIds();
  private final Map<ServicePortId, NatEntry> entries = new HashMap<>();
  private final List<NatEntry> goneSets = new ArrayList<>();
  private final List<SyncResult.Refused> refused = new ArrayList<>();
  private int frontends;
  private int backends;
  private boolean trusted;

  NatMaps(BpfMap natFe, BpfMap natBe, int scheduler) {
    this(natFe, natBe, scheduler, false);
  }

  /** Maps that {@link #reconcile} only counts for, and leaves as they are. */
  static NatMaps counting(BpfMap natFe, BpfMap natBe, int scheduler) {
    return new NatMaps(natFe, natBe, scheduler, true);
  }

  private NatMaps(BpfMap natFe, BpfMap natBe, int scheduler, boolean counting) {
    this.natFe = natFe;
    this.natBe = natBe;
    this.scheduler = scheduler;
    this.reader = new NatReader(natFe, natBe);
    this.writer = new NatWriter(natFe, natBe, scheduler, counting);
  }

  NatTable read() {
    return reader.read();
  }

  /** Whether a change can be applied; after a failed write the maps must be reconciled first. */
  boolean trusted() {
    return trusted;
  }

  /** Reads the maps, keeps what is as it shall be and writes the rest. */
  SyncResult reconcile(DesiredState desired) {
    trusted = false;
    NatTable table = reader.read();
    begin();
    setIds.recover(table::forEachSetId);
    serviceIds.recover(table::forEachService);
    entries.clear();
    frontends = table.frontends.size;
    backends = table.backends.size;
    NatAdoption adoption = new NatAdoption(table, scheduler);
    List<ServicePort> changed = new ArrayList<>();
    for (ServicePort port : desired.ports()) {
      NatEntry found = adoption.adopt(port);
      if (found == null) {
        changed.add(port);
      } else {
        entries.put(port.id(), found);
        adoption.rewrite(found, writer);
      }
    }
    List<ServicePort> waiting = new ArrayList<>();
    for (ServicePort port : changed) {
      if (!write(port, adoption.service(port), adoption.newFrontends(port))) {
        waiting.add(port);
      }
    }
    frontends -= adoption.deleteStaleFrontends(entries.values(), writer);
    backends -= adoption.deleteStaleBackends(writer);
    writer.flush();
    for (ServicePort port : waiting) {
      if (!write(port, 0, port.frontends().size())) {
        refuse(port);
      }
    }
    return end();
  }

  /** Applies a change in the order in which no lookup fails. */
  SyncResult apply(DesiredState.Delta delta) {
    trusted = false;
    begin();
    List<ServicePort> waiting = new ArrayList<>();
    List<Frontend> gone = new ArrayList<>();
    for (DesiredState.Change change : delta.upserted()) {
      if (!change(change.after(), gone)) {
        waiting.add(change.after());
      }
    }
    for (ServicePort port : delta.removed()) {
      NatEntry before = entries.remove(port.id());
      if (before != null) {
        gone.addAll(before.port().frontends());
        goneSets.add(before);
      }
    }
    deleteGone(gone, delta);
    for (ServicePort port : waiting) {
      List<Frontend> late = new ArrayList<>();
      if (change(port, late)) {
        deleteGone(late, delta);
      } else {
        refuse(port);
      }
    }
    return end();
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
  }

  private void begin() {
    writer.begin();
    goneSets.clear();
    refused.clear();
  }

  private SyncResult end() {
    writer.flush();
    trusted = true;
    return new SyncResult(writer.written(), writer.deleted(), refused);
  }

  /** Writes a port's new state beside its old one; false when the maps have no room. */
  private boolean change(ServicePort after, List<Frontend> gone) {
    NatEntry before = entries.get(after.id());
    if (before == null) {
      return write(after, 0, after.frontends().size());
    }
    boolean sameFrontends = before.port().frontends().equals(after.frontends());
    List<Frontend> lost = sameFrontends ? List.of() : without(before.port(), after);
    int added = sameFrontends ? 0 : without(after, before.port()).size();
    if (before.port().backends().equals(after.backends())
        && before.port().terminating().equals(after.terminating())) {
      if (frontends + added > natFe.maxEntries()) {
        return false;
      }
      NatEntry entry = new NatEntry(after, before.set(), before.service());
      if (!sameFrontends) {
        putFrontends(entry);
      }
      frontends += added;
      entries.put(after.id(), entry);
    } else {
      if (!write(after, before.service(), added)) {
        return false;
      }
      goneSets.add(before);
    }
    gone.addAll(lost);
    return true;
  }

  /** Writes a backend set under a new id and the frontends that use it. */
  private boolean write(ServicePort port, int service, int newFrontends) {
    int size = NatEntry.rows(port);
    if (frontends + newFrontends > natFe.maxEntries() || backends + size > natBe.maxEntries()) {
      return false;
    }
    NatEntry entry =
        new NatEntry(
            port,
            setIds.next(used -> entries.values().forEach(other -> used.accept(other.set()))),
            service == 0
                ? serviceIds.next(
                    used -> entries.values().forEach(other -> used.accept(other.service())))
                : service);
    writer.putSet(port, entry.set());
    putFrontends(entry);
    frontends += newFrontends;
    backends += size;
    entries.put(port.id(), entry);
    return true;
  }

  private void putFrontends(NatEntry entry) {
    List<Frontend> all = entry.port().frontends();
    for (int i = 0; i < all.size(); i++) {
      writer.putFrontend(all.get(i), entry);
    }
  }

  private void deleteGone(List<Frontend> gone, DesiredState.Delta delta) {
    if (!gone.isEmpty()) {
      // A frontend may have moved to another Service port by this very change.
      Set<FrontendPlace> moved = new HashSet<>();
      for (DesiredState.Change change : delta.upserted()) {
        NatEntry now = entries.get(change.after().id());
        if (now != null) {
          now.port().frontends().forEach(frontend -> moved.add(FrontendPlace.of(frontend)));
        }
      }
      for (Frontend frontend : gone) {
        frontends--;
        if (!moved.contains(FrontendPlace.of(frontend))) {
          writer.deleteFrontend(frontend);
        }
      }
      gone.clear();
    }
    for (NatEntry set : goneSets) {
      int size = set.rows();
      for (int ordinal = 0; ordinal < size; ordinal++) {
        writer.deleteBackend(set.set(), ordinal);
      }
      backends -= size;
    }
    goneSets.clear();
    writer.flush();
  }

  private void refuse(ServicePort port) {
    refused.add(
        new SyncResult.Refused(
            port.id(),
            ("%s has %d frontends and %d backends, but nat_fe holds %d of %d and nat_be %d of %d:"
                    + " there is no more room. Take node ports and external addresses away that nobody"
                    + " uses, or choose Iptables for this node.")
                .formatted(
                    port.id().text(),
                    port.frontends().size(),
                    NatEntry.rows(port),
                    frontends,
                    natFe.maxEntries(),
                    backends,
                    natBe.maxEntries())));
  }

  private static List<Frontend> without(ServicePort port, ServicePort other) {
    Set<FrontendPlace> kept = new HashSet<>();
    other.frontends().forEach(frontend -> kept.add(FrontendPlace.of(frontend)));
    return port.frontends().stream()
        .filter(frontend -> !kept.contains(FrontendPlace.of(frontend)))
        .toList();
  }
}
