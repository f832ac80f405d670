// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.CatalogueDelta;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.SyncResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what the kernel shall hold and brings changes of it there. What the dataplane refuses is no
 * part of the desired state until the next full pass tries it again.
 */
final class Programmer {
  private final Map<ServicePortId, ServicePort> ports = new HashMap<>();
  private final Map<ServicePortId, String> refused = new HashMap<>();

  /** What the kernel holds of ports that have changed since; null for none. */
  private final Map<ServicePortId, @Nullable ServicePort> before = new LinkedHashMap<>();

  private Set<Address> nodePortAddresses = Set.of();
  private Digest digest = Digest.EMPTY;
  private boolean programming;

  /** Whether changes go to the kernel at once. */
  boolean programming() {
    return programming;
  }

  /** Takes a change of the catalogue; {@link #flush} brings it to the kernel. */
  void note(CatalogueDelta delta) {
    delta.upserted().forEach(port -> put(port.id(), port));
    delta.removed().forEach(id -> put(id, null));
  }

  private void put(ServicePortId id, @Nullable ServicePort port) {
    ServicePort old = port == null ? ports.remove(id) : ports.put(id, port);
    ServicePort inKernel = refused.remove(id) == null ? old : null;
    if (!before.containsKey(id)) {
      before.put(id, inKernel);
    }
    if (inKernel != null) {
      digest = digest.minus(Digest.of(inKernel));
    }
    if (port != null) {
      digest = digest.plus(Digest.of(port));
    }
  }

  /** Brings what has changed to the kernel, if the dataplane is programmed at all. */
  SyncResult flush(Dataplane dataplane) {
    if (!programming || before.isEmpty()) {
      before.clear();
      return SyncResult.NONE;
    }
    List<DesiredState.Change> changes = new ArrayList<>();
    List<ServicePort> removed = new ArrayList<>();
    before.forEach(
        (id, old) -> {
          ServicePort now = ports.get(id);
          if (now == null && old != null) {
            removed.add(old);
          } else if (now != null && !now.equals(old)) {
            changes.add(new DesiredState.Change(old, now));
          }
        });
    before.clear();
    if (changes.isEmpty() && removed.isEmpty()) {
      return SyncResult.NONE;
    }
    return accept(dataplane.apply(new DesiredState.Delta(changes, removed)));
  }

  /**
   * Programs everything, adopting what is there; from then on changes follow at once.
   *
   * @throws DataplaneException when the kernel does not take it; then it is to be called again
   */
  SyncResult prepare(Dataplane dataplane) {
    SyncResult result = accept(dataplane.prepare(everything()));
    programming = true;
    return result;
  }

  /** Writes what differs, and tries again what was refused. */
  SyncResult repair(Dataplane dataplane) {
    return accept(dataplane.repair(everything()));
  }

  /** The kernel no longer follows: the dataplane drains or is gone. */
  void stop() {
    programming = false;
    before.clear();
  }

  /** The addresses that answer on node ports are now these. */
  void nodePortAddresses(Set<Address> addresses, Dataplane dataplane) {
    if (addresses.equals(nodePortAddresses)) {
      return;
    }
    nodePortAddresses = Set.copyOf(addresses);
    if (programming) {
      dataplane.applyNodePortAddresses(nodePortAddresses);
    }
  }

  Set<Address> nodePortAddresses() {
    return nodePortAddresses;
  }

  /** What the kernel shall hold now. */
  DesiredState desired() {
    if (refused.isEmpty()) {
      return new DesiredState(
          Collections.unmodifiableCollection(ports.values()), nodePortAddresses, digest);
    }
    List<ServicePort> served = new ArrayList<>(ports.size());
    ports.forEach(
        (id, port) -> {
          if (!refused.containsKey(id)) {
            served.add(port);
          }
        });
    return new DesiredState(served, nodePortAddresses, digest);
  }

  /** Everything that the kernel shall hold once it is prepared, for use by another thread. */
  DesiredState snapshot() {
    Digest whole = digest;
    for (ServicePortId id : refused.keySet()) {
      whole = whole.plus(digestOf(id));
    }
    return new DesiredState(List.copyOf(ports.values()), nodePortAddresses, whole);
  }

  /** What was refused and why, by Service port. */
  Map<String, String> refused() {
    Map<String, String> sorted = new TreeMap<>();
    refused.forEach((id, reason) -> sorted.put(id.text() + " " + id.protocol(), reason));
    return sorted;
  }

  int refusedCount() {
    return refused.size();
  }

  private DesiredState everything() {
    before.clear();
    refused.keySet().forEach(id -> digest = digest.plus(digestOf(id)));
    refused.clear();
    return desired();
  }

  private SyncResult accept(SyncResult result) {
    for (SyncResult.Refused port : result.refused()) {
      if (ports.containsKey(port.id()) && refused.put(port.id(), port.reason()) == null) {
        digest = digest.minus(digestOf(port.id()));
      }
    }
    return result;
  }

  private Digest digestOf(ServicePortId id) {
    ServicePort port = ports.get(id);
    return port == null ? Digest.EMPTY : Digest.of(port);
  }
}
