// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one node would do next if nothing else held it up.
 *
 * @param action null when there is nothing to do but wait
 * @param start how the action counts against the rollout's limits
 * @param current whether the node is on its way to, or at, what the present spec asks for
 * @param convergedSince when the node converged; null while it has not
 * @param note what is going on, for a person; empty when there is nothing to say
 */
record Move(
    String node,
    Standing standing,
    @Nullable NodeAction action,
    Start start,
    boolean current,
    @Nullable Instant convergedSince,
    String note) {
  /** Of a node that failed and is back where it began. */
  static Move rolledBack(NodeState state, @Nullable NodeAction action) {
    return new Move(
        state.name(), Standing.ROLLED_BACK, action, Start.NONE, false, null, state.failureText());
  }

  /**
   * Whether an action begins a walk, which takes a free place, or goes on with one; a preview only
   * asks, so nothing holds it.
   */
  enum Start {
    NONE,
    FORWARD,
    BACK,
    PREVIEW
  }
}
