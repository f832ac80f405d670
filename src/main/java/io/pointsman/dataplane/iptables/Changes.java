// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a change did.
 *
 * @param written how many rules it wrote
 * @param deleted how many it deleted
 * @param fallbacks what was refused before it was written in full, each a sentence
 */
record Changes(int written, int deleted, List<String> fallbacks) {
  static final Changes NONE = new Changes(0, 0);

  Changes(int written, int deleted) {
    this(written, deleted, List.of());
  }

  Changes plus(Changes other) {
    List<String> both = new ArrayList<>(fallbacks);
    both.addAll(other.fallbacks);
    return new Changes(written + other.written, deleted + other.deleted, both);
  }

  /** The same of a change that was refused when it carried only what it touches. */
  Changes after(
      RuntimeException refusal,
      Collection<DesiredState.Change> upserted,
      Collection<ServicePort> removed) {
    List<ServicePortId> touched = new ArrayList<>();
    removed.forEach(port -> touched.add(port.id()));
    upserted.forEach(change -> touched.add(change.after().id()));
    ServicePortId first = touched.getFirst();
    String others = touched.size() == 1 ? "" : " and " + (touched.size() - 1) + " more";
    String sentence =
        "The change of %s %s%s was written in full, because %s"
            .formatted(first.text(), first.protocol(), others, refusal.getMessage());
    return plus(new Changes(0, 0, List.of(sentence)));
  }
}
