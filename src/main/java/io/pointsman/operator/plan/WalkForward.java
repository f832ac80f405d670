// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.OnFailure;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The way of one node to the dataplane that its resource asks for: whether it begins, stays its
 * course ({@link Onward}), turns, or goes back to where it began.
 */
final class WalkForward {
  private final NodeState state;
  private final NodeView node;

  WalkForward(NodeState state, NodeView node) {
    this.state = state;
    this.node = node;
  }

  Move next() {
    if (!state.wanted()) {
      return turnBack();
    }
    if (state.failedThisGeneration()) {
      return state.rollsBack()
          ? new Rollback(state, node).next()
          : move(Standing.FAILED, null, state.failureText());
    }
    Move preview = new Preview(state, node).next(this::fail);
    if (preview != null) {
      return preview;
    }
    boolean matches = Target.matches(state.spec(), state.dataplane(), state.view().probe());
    if (!matches && !state.keepsToItsCourse()) {
      return turn();
    }
    if (state.hasFailure()) {
      return state.settled() ? forgiven() : again();
    }
    return new Onward(state, node).next(this::fail);
  }

  /** The spec asks for something else than what this node has or is on its way to. */
  private Move turn() {
    Draft draft = Draft.of(state, node).turn(state);
    if (state.settled()) {
      return new Move(
          node.name(),
          node.ready() ? Standing.WAITING : Standing.SKIPPED,
          node.ready() ? draft.build() : null,
          Move.Start.FORWARD,
          false,
          null,
          node.ready() ? "waits for its turn to follow the new spec" : "is NotReady");
    }
    if (state.hasFailure()) {
      draft.retry();
    }
    return move(Standing.SWITCHING, draft, Onward.progress(state));
  }

  /**
   * It failed where the same was asked for; the spec has changed since in something else, or a
   * person asks for another try.
   */
  private Move again() {
    Draft again = Draft.of(state, node).forget().began().retry();
    return move(Standing.SWITCHING, again, "tries again");
  }

  /** It failed, went back to where it began, and is asked for just that now. */
  private Move forgiven() {
    return move(Standing.CONVERGED, Draft.of(state, node).forget().forgetOrigin(), "");
  }

  private Move fail(String failure) {
    Notice notice =
        Notice.warning("NodeFailed", "Node " + node.name() + " failed: " + failure + ".");
    Draft draft = Draft.of(state, node).failed(failure).tell(notice);
    if (state.dataplane().getSpec().rollout.onFailure == OnFailure.PAUSE) {
      return move(Standing.FAILED, draft, failure);
    }
    Optional<Origin> origin = state.origin();
    Draft back =
        origin.isPresent()
            ? Rollback.begin(state, draft, origin.get())
            : WalkBack.begin(state, draft);
    return move(Standing.RETURNING, back, failure);
  }

  /** The node is ruled no more. A node on the move turns at once, a settled one in its turn. */
  private Move turnBack() {
    boolean rests =
        state.settled()
            || (state.previewed() && state.origin().isPresent())
            || (state.failedThisGeneration() && !state.rollsBack());
    Move abandoned = WalkBack.abandoned(state);
    if (abandoned != null) {
      return abandoned;
    }
    Notice notice =
        Notice.normal("NodeGivenBack", "Giving node " + node.name() + " back to kube-proxy.");
    NodeAction action = WalkBack.begin(state, Draft.of(state, node).tell(notice)).build();
    boolean hold = !node.ready();
    return new Move(
        node.name(),
        hold ? Standing.SKIPPED : rests ? Standing.WAITING : Standing.RETURNING,
        hold ? null : action,
        rests ? Move.Start.BACK : Move.Start.NONE,
        false,
        null,
        hold ? "is NotReady and cannot be given back" : "goes back to kube-proxy");
  }

  private Move move(Standing standing, @Nullable Draft draft, String note) {
    NodeAction action = draft == null ? null : draft.build();
    boolean current = standing != Standing.RETURNING;
    return new Move(node.name(), standing, action, Move.Start.NONE, current, null, note);
  }
}
