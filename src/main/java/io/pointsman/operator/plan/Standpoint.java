// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.Step;
import java.util.Map;
import java.util.Optional;

/** Where a node stands, told from its NodeDataplane alone; for people. */
public final class Standpoint {
  private Standpoint() {}

  /**
   * The dataplane of Pointsman's that the present walk began on; on a converged node the one that
   * serves. Empty for none, which is kube-proxy's where there is one.
   */
  public static Optional<LinuxDataplane> origin(NodeDataplane node) {
    Map<String, String> annotations = node.getMetadata().getAnnotations();
    Map<String, String> known = annotations == null ? Map.of() : annotations;
    Optional<LinuxDataplane> replaced = named(known.getOrDefault(Names.REPLACES, ""));
    if (leaving(node) || known.containsKey(Names.CONVERGED_SINCE)) {
      return Optional.ofNullable(node.getSpec().linuxDataplane);
    }
    return replaced.or(() -> Origin.parse(known.get(Names.ORIGIN)).map(Origin::dataplane));
  }

  /** Whether the node goes back to where no dataplane of Pointsman's serves. */
  public static boolean leaving(NodeDataplane node) {
    Step step = node.getSpec().step;
    return step == Step.DRAIN || step == Step.REMOVE;
  }

  /**
   * Why the last switch of the node failed, as the operator has written it down, and why the node
   * cannot go back to the dataplane it began on, if it cannot.
   */
  public static Optional<String> failure(NodeDataplane node) {
    Map<String, String> annotations = node.getMetadata().getAnnotations();
    Map<String, String> known = annotations == null ? Map.of() : annotations;
    String stuck = known.get(Names.ROLLBACK_FAILURE);
    return Optional.ofNullable(known.get(Names.FAILURE))
        .map(failure -> stuck == null ? failure : failure + "; cannot go back: " + stuck);
  }

  private static Optional<LinuxDataplane> named(String word) {
    for (LinuxDataplane each : LinuxDataplane.values()) {
      if (Words.of(each).equals(word) || each.name().equals(word)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }
}
