// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Severity;
import io.pointsman.api.Step;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A node whose agent was asked for Preflight of the dataplane, which changes nothing, by a dry run
 * or by the {@link LookAhead}: the walk begins in its turn when that is over.
 */
final class Preview {
  private final NodeState state;
  private final NodeView node;

  Preview(NodeState state, NodeView node) {
    this.state = state;
    this.node = node;
  }

  /** For a node without NodeDataplane. */
  static Move fresh(ClusterView view, ProxyDataplane dataplane, NodeView node) {
    return move(node, Draft.fresh(view, dataplane, node).preview(), Move.Start.PREVIEW, "");
  }

  /** For a node that is back on kube-proxy and would be taken over again. */
  static Move again(NodeState state, NodeView node) {
    return move(node, Draft.of(state, node).restart().preview(), Move.Start.PREVIEW, "");
  }

  /**
   * What a dry run, or its end, means for the node; null when it goes its usual way.
   *
   * @param fail what to do about a failure, given in words
   */
  @Nullable Move next(Function<String, Move> fail) {
    if (!state.previewed()) {
      boolean asks = state.dryRun() && state.settled() && state.otherDataplane();
      return asks ? ask(Draft.of(state, node).origin(Origin.of(state.spec()))) : null;
    }
    if (node.ready() && state.origin().filter(o -> o.dataplane() == wanted()).isPresent()) {
      return home();
    }
    if (!state.dryRun()) {
      return failure().map(fail).orElseGet(this::begin);
    }
    boolean matches = Target.matches(state.spec(), state.dataplane(), state.view().probe());
    return matches ? move(node, null, Move.Start.NONE, found()) : ask(Draft.of(state, node));
  }

  /** What the agent has found ahead of the node's turn. */
  private Optional<String> failure() {
    return node.ready() && LookAhead.asked(state) ? Onward.failed(state) : Optional.empty();
  }

  private Move begin() {
    Notice notice = Notice.normal("NodeStarted", "Taking over node " + node.name() + ".");
    Draft begun = Draft.of(state, node).turn(state).retry().tell(notice);
    state.origin().map(Origin::dataplane).ifPresent(begun::replaces);
    return move(node, begun, Move.Start.FORWARD, "waits its turn");
  }

  private Move ask(Draft draft) {
    return move(
        node,
        draft.forget().target().step(Step.PREFLIGHT).preview(),
        Move.Start.PREVIEW,
        "is being looked at");
  }

  /** The spec asks for what the node has had all the while. */
  private Move home() {
    Origin origin = state.origin().orElseThrow();
    Draft home = Draft.of(state, node).restore(origin).step(Step.CLEAN).began().converged();
    NodeAction action = home.forgetOrigin().build();
    return new Move(
        node.name(), Standing.SWITCHING, action, Move.Start.PREVIEW, true, null, "is looked at");
  }

  private @Nullable LinuxDataplane wanted() {
    return state.dataplane().getSpec().linuxDataplane;
  }

  /** What Preflight says, as far as it would stop the node. */
  private String found() {
    NodeDataplaneStatus status = state.answer().orElse(null);
    if (status == null) {
      return "is being looked at";
    }
    return status.preflight.stream()
        .filter(finding -> finding.severity == Severity.BLOCKING)
        .findFirst()
        .map(Preview::blocked)
        .orElse("");
  }

  private static String blocked(PreflightFinding finding) {
    return "would be stopped by " + finding.reason + ": " + finding.message;
  }

  private static Move move(NodeView node, @Nullable Draft draft, Move.Start start, String note) {
    String away = NodeWalk.away(node);
    if (away != null) {
      return new Move(node.name(), Standing.SKIPPED, null, Move.Start.NONE, false, null, away);
    }
    NodeAction action = draft == null ? null : draft.build();
    return new Move(node.name(), Standing.WAITING, action, start, false, null, note);
  }
}
