// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.Step;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * What comes before the first node of a rollout begins: the agents of all nodes that kube-proxy
 * serves are asked for Preflight, which changes nothing. So what would stop any of them is told
 * before one is switched. A node waits its turn after that, and has its own Preflight in it.
 */
final class LookAhead {
  private final Survey survey;

  LookAhead(Survey survey) {
    this.survey = survey;
  }

  /** Whether nothing is waited for: a node has begun, or all have answered or had the time to. */
  boolean over() {
    return open().isEmpty();
  }

  /**
   * The nodes whose agents have not answered. One that got Ready after the first was asked is none:
   * where nodes always join, nobody would ever begin.
   */
  List<Move> open() {
    if (survey.moves().stream().anyMatch(this::begun)) {
      return List.of();
    }
    Instant first =
        survey.moves().stream()
            .flatMap(move -> survey.state(move.node()).filter(LookAhead::asked).stream())
            .map(NodeState::asked)
            .min(Comparator.naturalOrder())
            .orElse(Instant.MAX);
    return survey.at(move -> open(move) && !readySince(move).isAfter(first));
  }

  /** Nodes that had arrived before the resource asked for this are no part of the rollout. */
  private boolean begun(Move move) {
    return switch (move.standing()) {
      case SWITCHING, DRAINING -> move.current();
      case CONVERGED -> survey.state(move.node()).filter(NodeState::ofThisGeneration).isPresent();
      case WAITING, SKIPPED, RETURNING, ROLLED_BACK, FAILED, LEFT -> false;
    };
  }

  /** Asks those of the nodes that have not been asked for what the resource wants now. */
  List<NodeAction> questions(List<Move> nodes) {
    return nodes.stream()
        .filter(this::onKubeProxy)
        .filter(move -> survey.state(move.node()).filter(LookAhead::asked).isEmpty())
        .map(this::question)
        .toList();
  }

  /** Whether the node's agent was asked for what the resource wants now, and may be believed. */
  static boolean asked(NodeState state) {
    return state.previewed()
        && state.ofThisResource()
        && state.ofThisGeneration()
        && !state.hasFailure();
  }

  /**
   * Late it is heard in its turn: a rollout does not wait for ever for an agent that is not there.
   */
  private static boolean heard(NodeState state) {
    return state.done() || state.overdue();
  }

  private NodeAction question(Move move) {
    NodeView node = Objects.requireNonNull(survey.view().nodes().get(move.node()));
    return survey
        .state(move.node())
        .map(state -> Draft.of(state, node).restart())
        .orElseGet(() -> Draft.fresh(survey.view(), survey.dataplane(), node))
        .atRest()
        .build();
  }

  private boolean open(Move move) {
    return move.start() == Move.Start.FORWARD
        && onKubeProxy(move)
        && survey.state(move.node()).filter(LookAhead::asked).filter(LookAhead::heard).isEmpty();
  }

  /** Whether nothing of Pointsman's serves the node, and no walk has begun on it. */
  private boolean onKubeProxy(Move move) {
    return survey
        .state(move.node())
        .map(state -> (state.previewed() || isBack(state)) && state.origin().isEmpty())
        .orElse(true);
  }

  private Instant readySince(Move move) {
    return Objects.requireNonNull(survey.view().nodes().get(move.node())).readySince();
  }

  private static boolean isBack(NodeState state) {
    return state.step() == Step.REMOVE && state.done();
  }
}
