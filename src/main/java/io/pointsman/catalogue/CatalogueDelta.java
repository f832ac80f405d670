// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.List;

/** What one event changed: Service ports that are new or different, and those that are gone. */
public record CatalogueDelta(List<ServicePort> upserted, List<ServicePortId> removed) {
  /** Nothing changed. */
  public static final CatalogueDelta NONE = new CatalogueDelta(List.of(), List.of());

  /** Takes copies. */
  public CatalogueDelta {
    upserted = List.copyOf(upserted);
    removed = List.copyOf(removed);
  }

  /** Whether there is nothing to do. */
  public boolean isEmpty() {
    return upserted.isEmpty() && removed.isEmpty();
  }
}
