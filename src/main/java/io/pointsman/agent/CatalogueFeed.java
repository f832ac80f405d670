// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.catalogue.ServiceInput;
import io.pointsman.catalogue.SliceInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Brings what the watches delivered into the catalogue, and its deltas to the programmer. */
final class CatalogueFeed {
  private final Catalogue catalogue;
  private final Programmer programmer;
  private boolean servicesListed;
  private boolean slicesListed;

  CatalogueFeed(Catalogue catalogue, Programmer programmer) {
    this.catalogue = catalogue;
    this.programmer = programmer;
  }

  /** Whether all Services and all slices have been seen once. */
  boolean synced() {
    return servicesListed && slicesListed;
  }

  /** Takes a batch; returns when each of its events arrived, nanoseconds. */
  List<Long> accept(Inbox.Batch batch) {
    List<Long> arrivals = new ArrayList<>();
    Set<ObjectKey> services = batch.services().listed();
    if (services != null) {
      catalogue.retainServices(services).forEach(programmer::note);
      servicesListed = true;
    }
    Set<ObjectKey> slices = batch.slices().listed();
    if (slices != null) {
      catalogue.retainSlices(slices).forEach(programmer::note);
      slicesListed = true;
    }
    batch
        .services()
        .latest()
        .forEach(
            (key, arrival) -> {
              arrivals.add(arrival.nanos());
              ServiceInput input = arrival.input();
              programmer.note(
                  input == null ? catalogue.removeService(key) : catalogue.upsertService(input));
            });
    batch
        .slices()
        .latest()
        .forEach(
            (key, arrival) -> {
              arrivals.add(arrival.nanos());
              SliceInput input = arrival.input();
              programmer.note(
                  input == null ? catalogue.removeSlice(key) : catalogue.upsertSlice(input));
            });
    return arrivals;
  }
}
