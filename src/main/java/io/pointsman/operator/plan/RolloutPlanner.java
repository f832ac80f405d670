// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Decides what happens to each node of a ProxyDataplane next. Pure: the same view gives the same
 * plan, and carrying out a plan twice does no harm.
 */
public final class RolloutPlanner {
  /** While nodes move: deadlines and soak times are looked at this often. */
  static final Duration MOVING = Duration.ofSeconds(5);

  /** When nothing moves. */
  static final Duration SETTLED = Duration.ofSeconds(60);

  private RolloutPlanner() {}

  /** The plan for one of the view's resources. */
  public static Plan plan(ClusterView view, ProxyDataplane dataplane) {
    Survey survey = survey(view, dataplane);
    List<NodeAction> actions = grant(survey);
    boolean walkedBack =
        survey.deleting()
            && survey.moves().stream().allMatch(move -> move.standing() == Standing.LEFT)
            && actions.isEmpty();
    boolean moving =
        survey.count(
                Standing.SWITCHING,
                Standing.RETURNING,
                Standing.DRAINING,
                Standing.WAITING,
                Standing.FAILED)
            > 0;
    return new Plan(
        actions,
        Reporter.report(survey),
        moving || survey.deleting() ? MOVING : SETTLED,
        walkedBack);
  }

  /** Where every node of a resource stands. */
  static Survey survey(ClusterView view, ProxyDataplane dataplane) {
    Optional<Refusal> refusal = Acceptance.refusal(dataplane, view.dataplanes());
    return new Survey(
        view, dataplane, refusal.orElse(null), moves(view, dataplane, refusal.isPresent()));
  }

  private static List<Move> moves(ClusterView view, ProxyDataplane dataplane, boolean refused) {
    boolean hold = refused && !dataplane.isMarkedForDeletion();
    Ownership ownership = new Ownership(view);
    NodeWalk walk = new NodeWalk(view, dataplane);
    List<Move> moves = new ArrayList<>();
    for (String name : ownership.nodesOf(dataplane)) {
      NodeView node = view.nodes().get(name);
      NodeDataplane current = view.nodeDataplanes().get(name);
      if (current != null) {
        moves.add(
            walk.ruled(
                new NodeState(
                    view, dataplane, node, current, hold || ownership.wanted(name), hold)));
      } else if (node != null) {
        moves.add(walk.untouched(node));
      }
    }
    return moves;
  }

  /** The actions that the rollout's limits allow; walks that have begun go on. */
  private static List<NodeAction> grant(Survey survey) {
    List<NodeAction> granted = new ArrayList<>();
    int limit = Math.max(1, survey.dataplane().getSpec().rollout.maxUnavailable);
    int moving = survey.count(Standing.SWITCHING, Standing.RETURNING);
    int free = limit - moving;
    for (Move move : survey.moves()) {
      NodeAction action = move.action();
      if (action == null || held(survey, move)) {
        continue;
      }
      switch (move.start()) {
        case NONE, PREVIEW -> granted.add(action);
        case BACK -> {
          if (free > 0) {
            free--;
            granted.add(action);
          }
        }
        case FORWARD -> {}
      }
    }
    if (!survey.stopped() && !survey.daemonSetMissing()) {
      grantForward(survey, free, granted);
    }
    return granted;
  }

  /** Begins as many nodes as there is room for, or has those looked at that are to be first. */
  private static void grantForward(Survey survey, int free, List<NodeAction> granted) {
    List<Move> forward =
        survey.moves().stream()
            .filter(move -> move.start() == Move.Start.FORWARD && move.action() != null)
            .filter(move -> !held(survey, move))
            .toList();
    LookAhead ahead = new LookAhead(survey);
    if (ahead.over()) {
      forward.stream()
          .limit(Math.max(0, Math.min(free, survey.canaryRoom())))
          .forEach(move -> granted.add(Objects.requireNonNull(move.action())));
    } else {
      granted.addAll(ahead.questions(forward));
    }
  }

  /**
   * Whether a refusal, a pause or a dry run holds the move up. Bookkeeping and gone nodes go on,
   * and so does a node that failed, or whose Services nobody would follow where it is.
   */
  private static boolean held(Survey survey, Move move) {
    boolean refused = survey.refusal() != null && !survey.deleting();
    boolean frozen = refused || survey.paused() || survey.dryRun();
    if (!frozen || (move.start() == Move.Start.PREVIEW && !refused)) {
      return false;
    }
    return switch (Objects.requireNonNull(move.action())) {
      case NodeAction.Forget forget -> survey.view().nodes().containsKey(forget.node());
      case NodeAction.Write write -> {
        NodeDataplane current = survey.view().nodeDataplanes().get(write.node());
        yield current == null
            || (!survey.goesOnAnyway(move) && !Target.same(current.getSpec(), write.spec()));
      }
    };
  }
}
