// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Problem;
import java.util.ArrayList;
import java.util.List;

/** What of the cluster's Services is not served on this node, by the catalogue or the kernel. */
record Refusals(Catalogue catalogue, Kernel kernel) {
  /** Named in full; the rest is counted. */
  static final int LIMIT = 10;

  /** One of them: of what, a stable reason, and all of it in words. */
  record Refusal(String object, String reason, String text) {}

  /** The first of them: what the kernel has no room for, then what cannot be served anywhere. */
  List<Refusal> first() {
    List<Refusal> found = new ArrayList<>();
    kernel
        .target()
        .ifPresent(
            target ->
                target
                    .programmer()
                    .refused()
                    .forEach(
                        (port, why) ->
                            found.add(new Refusal(port, "DataplaneRefused", port + ": " + why))));
    for (Problem problem : catalogue.problems(Problem.Effect.NOT_SERVED, LIMIT)) {
      found.add(new Refusal(problem.object(), problem.reason(), problem.text()));
    }
    return found.size() > LIMIT ? List.copyOf(found.subList(0, LIMIT)) : found;
  }

  /** How many there are. */
  int count() {
    return catalogue.notServed()
        + kernel.target().map(target -> target.programmer().refusedCount()).orElse(0);
  }
}
