// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.CatalogueDelta;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.catalogue.ServiceInput;
import io.pointsman.catalogue.SliceInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Brings what the watches delivered into the catalogue, and its deltas to the dataplanes. */
final class CatalogueFeed {
  private final Catalogue catalogue;
  private final Consumer<CatalogueDelta> dataplanes;
  private boolean servicesListed;
  private boolean slicesListed;

  CatalogueFeed(Catalogue catalogue, Consumer<CatalogueDelta> dataplanes) {
    this.catalogue = catalogue;
    this.dataplanes = dataplanes;
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
      catalogue.retainServices(services).forEach(dataplanes);
      servicesListed = true;
    }
    Set<ObjectKey> slices = batch.slices().listed();
    if (slices != null) {
      catalogue.retainSlices(slices).forEach(dataplanes);
      slicesListed = true;
    }
    batch
        .services()
        .latest()
        .forEach(
            (key, arrival) -> {
              arrivals.add(arrival.nanos());
              ServiceInput input = arrival.input();
              dataplanes.accept(
                  input == null ? catalogue.removeService(key) : catalogue.upsertService(input));
            });
    batch
        .slices()
        .latest()
        .forEach(
            (key, arrival) -> {
              arrivals.add(arrival.nanos());
              SliceInput input = arrival.input();
              dataplanes.accept(
                  input == null ? catalogue.removeSlice(key) : catalogue.upsertSlice(input));
            });
    return arrivals;
  }
}
