// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the catalogue knows of one Service: its inputs, and what came of them. */
final class ServiceEntry {
  final ObjectKey key;

  /** Null while the Service is not there or not proxied. */
  @Nullable ServiceInput service;

  /** Few; the order does not matter. */
  final ArrayList<SliceInput> slices = new ArrayList<>(1);

  /** What is in the catalogue's view now. */
  List<ServicePort> ports = List.of();

  ServiceEntry(ObjectKey key) {
    this.key = key;
  }

  @Nullable SliceInput slice(ObjectKey sliceKey) {
    for (SliceInput slice : slices) {
      if (slice.key().equals(sliceKey)) {
        return slice;
      }
    }
    return null;
  }

  boolean isUnused() {
    return service == null && slices.isEmpty();
  }
}
