// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where one node stands and what it would do next, leaving aside all other nodes. */
final class NodeWalk {
  private final ClusterView view;
  private final ProxyDataplane dataplane;

  NodeWalk(ClusterView view, ProxyDataplane dataplane) {
    this.view = view;
    this.dataplane = dataplane;
  }

  /** A node without NodeDataplane: kube-proxy serves it. */
  Move untouched(NodeView node) {
    String away = away(node);
    if (away != null) {
      return new Move(node.name(), Standing.SKIPPED, null, Move.Start.NONE, false, null, away);
    }
    if (dataplane.getSpec().rollout.dryRun) {
      return Preview.fresh(view, dataplane, node);
    }
    NodeAction start =
        Draft.fresh(view, dataplane, node)
            .tell(Notice.normal("NodeStarted", "Taking over node " + node.name() + "."))
            .build();
    return new Move(
        node.name(), Standing.WAITING, start, Move.Start.FORWARD, false, null, "waits its turn");
  }

  /** A node with a NodeDataplane. */
  Move ruled(NodeState state) {
    if (state.node() == null) {
      return forget(state, "NodeForgotten", "Node " + state.name() + " is gone and forgotten.");
    }
    if (!state.wanted() && state.neverTouched()) {
      return forget(state, "NodeLeft", "Node " + state.name() + " has not been touched.");
    }
    boolean back =
        state.step() == Step.DRAIN
            || state.step() == Step.REMOVE
            || state.spec().kubeProxy == KubeProxyState.ATTACHING;
    return back
        ? new WalkBack(state, state.node()).next()
        : new WalkForward(state, state.node()).next();
  }

  /** Why a node is not taken over now, or null. */
  static @Nullable String away(NodeView node) {
    if (node.leaving()) {
      return "is leaving the cluster";
    }
    return node.ready() ? null : "is NotReady";
  }

  static Move forget(NodeState state, String reason, String note) {
    NodeAction delete =
        new NodeAction.Forget(
            state.name(),
            state.current().getMetadata().getResourceVersion(),
            List.of(
                reason.equals("NodeAbandoned")
                    ? Notice.warning(reason, note)
                    : Notice.normal(reason, note)));
    return new Move(state.name(), Standing.LEFT, delete, Move.Start.NONE, false, null, "");
  }
}
