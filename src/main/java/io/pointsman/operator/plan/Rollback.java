// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.Step;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The way of a node that failed back to the own dataplane it began on, with its old settings.
 * kube-proxy stays off. A rollback that fails too goes nowhere else: the node is named, and the
 * step that failed is tried again until the agent gets there after all or a person acts.
 */
final class Rollback {
  private final NodeState state;
  private final NodeView node;

  Rollback(NodeState state, NodeView node) {
    this.state = state;
    this.node = node;
  }

  /** The first step back. The origin is there, so it needs no Preflight. */
  static Draft begin(NodeState state, Draft draft, Origin origin) {
    if (origin.dataplane() != state.spec().linuxDataplane) {
      draft.replaces(state.spec().linuxDataplane).step(Step.PREPARE);
    }
    return draft.restore(origin).began();
  }

  Move next() {
    String stuck = state.annotations().get(Names.ROLLBACK_FAILURE);
    if (stuck != null && !state.done()) {
      return stuck(stuck, state.triesAgain() ? Draft.of(state, node).retry().build() : null);
    }
    Move move = new Onward(state, node).next(this::fail);
    return switch (move.standing()) {
      case CONVERGED -> state.settled() ? rolledBack(null) : arrived();
      case SWITCHING ->
          stuck == null
              ? with(Standing.RETURNING, move, move.action())
              : stuck(stuck, move.action());
      case DRAINING, SKIPPED, FAILED -> with(move.standing(), move, move.action());
      case WAITING, RETURNING, ROLLED_BACK, LEFT ->
          throw new IllegalStateException("no standing of a node on its course: " + move);
    };
  }

  private Move fail(String failure) {
    if (state.annotations().containsKey(Names.ROLLBACK_FAILURE)) {
      return new Onward(state, node).advance();
    }
    Notice notice =
        Notice.warning(
            "RollbackFailed",
            "Node "
                + node.name()
                + " cannot go back to "
                + origin()
                + " either and stays where it is until it can: "
                + failure
                + ".");
    return stuck(failure, Draft.of(state, node).stuck(failure).tell(notice).build());
  }

  private Move stuck(String failure, @Nullable NodeAction action) {
    return new Move(
        node.name(),
        Standing.FAILED,
        action,
        Move.Start.NONE,
        false,
        null,
        state.failureText() + "; cannot go back to " + origin() + ": " + failure);
  }

  private Move arrived() {
    Notice notice =
        Notice.normal(
            "NodeRolledBack",
            "Node " + node.name() + " is back on " + origin() + " and proven there.");
    return rolledBack(Draft.of(state, node).converged().tell(notice).build());
  }

  private Move rolledBack(@Nullable NodeAction action) {
    return Move.rolledBack(state, action);
  }

  private Move with(Standing standing, Move move, @Nullable NodeAction action) {
    boolean told = standing == Standing.FAILED || move.note().isEmpty();
    String note = told ? move.note() : "goes back to " + origin() + ", " + move.note();
    return new Move(node.name(), standing, action, Move.Start.NONE, false, null, note);
  }

  private String origin() {
    Optional<Origin> origin = state.origin();
    return origin.map(Origin::dataplane).map(Words::of).orElse("kube-proxy");
  }
}
