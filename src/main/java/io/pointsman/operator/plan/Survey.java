// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All moves of one resource and what follows from them together.
 *
 * @param refusal why the resource is not acted on; null when it is
 */
record Survey(
    ClusterView view, ProxyDataplane dataplane, @Nullable Refusal refusal, List<Move> moves) {

  boolean deleting() {
    return dataplane.isMarkedForDeletion();
  }

  boolean paused() {
    return !deleting() && dataplane.getSpec().rollout.paused;
  }

  boolean dryRun() {
    return !deleting() && dataplane.getSpec().rollout.dryRun;
  }

  boolean managed() {
    return dataplane.getSpec().kubeProxy.management == KubeProxyManagement.MANAGED;
  }

  boolean daemonSetMissing() {
    return managed() && view.kubeProxyOf(dataplane).isEmpty();
  }

  /** Whether kube-proxy has been taken off a node though its DaemonSet does not select any more. */
  boolean selectorStolen() {
    Optional<KubeProxyView> proxy = view.kubeProxyOf(dataplane);
    return managed()
        && proxy.isPresent()
        && !proxy.get().selectorHeld()
        && moves.stream().anyMatch(move -> Handover.away(view.nodeDataplanes().get(move.node())));
  }

  /** Whether a node has failed: then no other is begun. */
  boolean stopped() {
    return !failures().isEmpty();
  }

  /** The nodes that failed at this generation, or that somebody has to see to where they are. */
  List<Move> failures() {
    return moves.stream()
        .filter(move -> failed(move) || move.standing() == Standing.FAILED)
        .toList();
  }

  /** Whether the node failed at this generation, and is not tried again before that is undone. */
  boolean failed(Move move) {
    if (move.action() instanceof NodeAction.Write write) {
      String failed = write.annotations().get(Names.FAILED_GENERATION);
      return NodeState.isGeneration(dataplane, write.spec(), failed);
    }
    return state(move.node()).filter(NodeState::failedThisGeneration).isPresent();
  }

  /** Whether nothing may hold the move up: the node fails, or cannot stay where it is for long. */
  boolean goesOnAnyway(Move move) {
    boolean begun = move.start() == Move.Start.NONE;
    return (begun && failed(move)) || between(move);
  }

  /** Whether nobody follows the cluster's Services for the node where it is. */
  boolean between(Move move) {
    return state(move.node()).filter(state -> !state.followed()).isPresent();
  }

  /** What is known of a node that the resource rules; empty without Node or NodeDataplane. */
  Optional<NodeState> state(String name) {
    NodeDataplane ruled = view.nodeDataplanes().get(name);
    NodeView node = view.nodes().get(name);
    return ruled == null || node == null
        ? Optional.empty()
        : Optional.of(new NodeState(view, dataplane, node, ruled, true, false));
  }

  int count(Standing... standings) {
    List<Standing> wanted = Arrays.asList(standings);
    return (int) moves.stream().filter(move -> wanted.contains(move.standing())).count();
  }

  List<Move> at(Predicate<Move> test) {
    return moves.stream().filter(test).toList();
  }

  List<String> names(Standing standing) {
    return moves.stream().filter(move -> move.standing() == standing).map(Move::node).toList();
  }

  /** Nodes of the resource that kube-proxy has not left for good. */
  int onKubeProxy() {
    return (int) moves.stream().filter(this::wanted).filter(this::onKubeProxy).count();
  }

  private boolean onKubeProxy(Move move) {
    NodeDataplane ruled = view.nodeDataplanes().get(move.node());
    return ruled == null || ruled.getSpec().kubeProxy != KubeProxyState.DETACHED;
  }

  int desired() {
    return deleting() ? 0 : (int) moves.stream().filter(this::wanted).count();
  }

  private boolean wanted(Move move) {
    NodeView node = view.nodes().get(move.node());
    return node != null
        && node.linux()
        && node.selectedBy(dataplane.getSpec().nodeSelector)
        && move.standing() != Standing.LEFT;
  }

  /** Until when the canary nodes are watched; null when that is over or there are none. */
  @Nullable Instant soakingUntil() {
    int wanted = canaries();
    List<Instant> soaked = soakEnds();
    long over = soaked.stream().filter(end -> !end.isAfter(view.now())).count();
    return over >= wanted
        ? null
        : soaked.stream().filter(end -> end.isAfter(view.now())).findFirst().orElse(null);
  }

  /** How many more nodes may be begun before the canary nodes have been watched long enough. */
  int canaryRoom() {
    int wanted = canaries();
    long over = soakEnds().stream().filter(end -> !end.isAfter(view.now())).count();
    if (over >= wanted) {
      return Integer.MAX_VALUE;
    }
    long begun =
        moves.stream()
            .filter(Move::current)
            .filter(
                move ->
                    move.standing() == Standing.CONVERGED
                        || move.standing() == Standing.SWITCHING
                        || move.standing() == Standing.DRAINING)
            .count();
    return (int) Math.max(0, wanted - begun);
  }

  private List<Instant> soakEnds() {
    int soak = dataplane.getSpec().rollout.canary.soakSeconds;
    return moves.stream()
        .map(this::provenSince)
        .flatMap(Optional::stream)
        .map(since -> since.plusSeconds(soak))
        .sorted()
        .toList();
  }

  /** Since when a node that has converged could be watched; empty while it is NotReady. */
  private Optional<Instant> provenSince(Move move) {
    NodeView node = view.nodes().get(move.node());
    Instant converged = move.convergedSince();
    return !hasConverged(move) || converged == null || node == null || !node.ready()
        ? Optional.empty()
        : Optional.of(node.readyAfter(converged, view.now()));
  }

  private static boolean hasConverged(Move move) {
    return move.standing() == Standing.CONVERGED && move.current();
  }

  /** Whether nodes wait for a canary node that cannot be watched, because it is NotReady. */
  boolean canaryAway() {
    return count(Standing.WAITING) > 0
        && canaryRoom() == 0
        && moves.stream().anyMatch(move -> hasConverged(move) && provenSince(move).isEmpty());
  }

  private int canaries() {
    return dataplane.getSpec().rollout.canary.nodes;
  }
}
