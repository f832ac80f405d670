// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.NodeDataplaneSpec;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the operator does to one node's NodeDataplane. */
public sealed interface NodeAction {
  /** The node's name. */
  String node();

  /** What is told once it is done. */
  List<Notice> notices();

  /**
   * Creates or patches the NodeDataplane.
   *
   * @param ownerUid the Node's uid
   * @param resourceVersion of the NodeDataplane that the plan was made on; null when it was not
   *     there
   * @param annotations all annotations that the operator keeps on it
   */
  record Write(
      String node,
      String ownerUid,
      @Nullable String resourceVersion,
      NodeDataplaneSpec spec,
      Map<String, String> annotations,
      List<Notice> notices)
      implements NodeAction {
    /** Takes copies. */
    public Write {
      annotations = Map.copyOf(annotations);
      notices = List.copyOf(notices);
    }
  }

  /** Deletes the NodeDataplane: its node is gone, or back on kube-proxy for good. */
  record Forget(String node, @Nullable String resourceVersion, List<Notice> notices)
      implements NodeAction {
    /** Takes a copy. */
    public Forget {
      notices = List.copyOf(notices);
    }
  }
}
