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

  /** The dataplane that a walk leaves, or that serves when none is under way; empty for none. */
  public static Optional<LinuxDataplane> serving(NodeDataplane node) {
    Map<String, String> annotations = node.getMetadata().getAnnotations();
    String replaced = annotations == null ? null : annotations.get(Names.REPLACES);
    Step step = node.getSpec().step;
    if (step == Step.DRAIN || step == Step.REMOVE) {
      return Optional.ofNullable(node.getSpec().linuxDataplane);
    }
    if (replaced != null && step != null && !replaced.isEmpty()) {
      return named(replaced).or(() -> NodePlans.serving(node));
    }
    return NodePlans.serving(node);
  }

  /** Whether the node goes back to where no dataplane of Pointsman's serves. */
  public static boolean leaving(NodeDataplane node) {
    Step step = node.getSpec().step;
    return step == Step.DRAIN || step == Step.REMOVE;
  }

  /** Why the last switch of the node failed, as the operator has written it down. */
  public static Optional<String> failure(NodeDataplane node) {
    Map<String, String> annotations = node.getMetadata().getAnnotations();
    return annotations == null
        ? Optional.empty()
        : Optional.ofNullable(annotations.get(Names.ROLLBACK_FAILURE))
            .or(() -> Optional.ofNullable(annotations.get(Names.FAILURE)));
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
