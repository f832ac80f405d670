// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The way of one node back to kube-proxy: Attach, Drain, Remove. A node that is wanted again turns
 * round while kube-proxy is still to return; from Drain on it goes to the end first.
 */
final class WalkBack {
  private final NodeState state;
  private final NodeView node;

  WalkBack(NodeState state, NodeView node) {
    this.state = state;
    this.node = node;
  }

  /**
   * The first step back. While kube-proxy returns the agent is asked for no more than it has done,
   * and never for Clean: that would remove what kube-proxy is writing.
   */
  static Draft begin(NodeState state, Draft draft) {
    boolean looks = state.step() == Step.PREFLIGHT || state.step() == Step.PREPARE;
    Optional<Origin> serving =
        state.origin().filter(o -> looks && o.dataplane() != state.spec().linuxDataplane);
    // What serves the node yet is what it was asked for before, with the settings it had there.
    serving.ifPresent(draft::restore);
    boolean serves = state.step() == Step.CLEAN || serving.isPresent();
    draft.began().forgetOrigin();
    boolean left =
        state.spec().kubeProxy == KubeProxyState.DETACHED
            || state.spec().kubeProxy == KubeProxyState.DETACHING;
    if (state.managed() && left) {
      Step held = serves ? Step.ACTIVATE : state.step();
      return draft.kubeProxy(KubeProxyState.ATTACHING).step(held);
    }
    return draft.kubeProxy(state.managed() ? KubeProxyState.ATTACHED : null).step(Step.DRAIN);
  }

  /** Lets go of a node that cannot be reached while its resource is being deleted, or null. */
  static @Nullable Move abandoned(NodeState state) {
    String deleted = state.dataplane().getMetadata().getDeletionTimestamp();
    NodeView node = state.node();
    if (deleted == null || node == null || node.ready()) {
      return null;
    }
    Instant since = NodeState.parse(deleted).orElse(state.view().now());
    Instant from = node.readySince().isAfter(since) ? node.readySince() : since;
    if (!state.view().now().isAfter(from.plus(state.deadline()))) {
      return null;
    }
    return NodeWalk.forget(
        state,
        "NodeAbandoned",
        "Node "
            + state.name()
            + " has been NotReady for too long and does not hold the deletion any more; when it"
            + " comes back, reboot it: its kernel may still hold what nobody keeps up to date.");
  }

  Move next() {
    Move abandoned = abandoned(state);
    if (abandoned != null) {
      return abandoned;
    }
    if (state.spec().kubeProxy == KubeProxyState.ATTACHING && state.step() != Step.DRAIN) {
      boolean turns = state.wanted() && !state.failedThisGeneration() && node.ready();
      return turns ? turn() : attach();
    }
    Optional<NodeDataplaneStatus> failed = state.failure();
    if (failed.isPresent()) {
      Draft again = state.triesAgain() ? Draft.of(state, node).retry() : null;
      return move(Standing.FAILED, again, "cannot go back: " + failed.get().message);
    }
    if (!state.done()) {
      return pending();
    }
    return state.step() == Step.DRAIN
        ? move(Standing.DRAINING, Draft.of(state, node).step(Step.REMOVE), progress())
        : arrived();
  }

  /** Wanted again: what Pointsman has on the node still serves, and kube-proxy is taken off. */
  private Move turn() {
    KubeProxyState left = state.managed() ? KubeProxyState.DETACHING : null;
    NodeAction action = Draft.of(state, node).turn(state).kubeProxy(left).build();
    return new Move(
        node.name(), Standing.SWITCHING, action, Move.Start.NONE, true, null, "turns round");
  }

  private Move attach() {
    if (!state.managed()) {
      return move(
          Standing.RETURNING, Draft.of(state, node).kubeProxy(null).step(Step.DRAIN), progress());
    }
    if (state.kubeProxy().isEmpty()) {
      return move(Standing.FAILED, null, "kube-proxy's DaemonSet is missing");
    }
    boolean serves =
        node.labelled() && state.kubeProxyPod().filter(pod -> pod == PodState.READY).isPresent();
    if (serves) {
      return move(Standing.RETURNING, attached(), progress());
    }
    Standing standing = late() ? Standing.FAILED : Standing.RETURNING;
    boolean may = node.labelled() || state.mayAttach();
    return move(
        standing,
        null,
        may
            ? "waits for kube-proxy's pod to be Ready"
            : "waits for its agent to stand in while kube-proxy starts");
  }

  private Draft attached() {
    Draft draft = Draft.of(state, node).kubeProxy(KubeProxyState.ATTACHED).step(Step.DRAIN);
    state
        .failure()
        .filter(status -> "StandInFailed".equals(status.reason))
        .ifPresent(
            status ->
                draft.tell(
                    Notice.warning(
                        "StandInFailed", "Node " + node.name() + ": " + status.message)));
    return draft.tell(
        Notice.normal("KubeProxyReturned", "kube-proxy is back on node " + node.name() + "."));
  }

  private Move pending() {
    boolean draining = state.flowsEnd() || state.step() == Step.REMOVE;
    if (late()) {
      return move(Standing.FAILED, null, "does not get back: " + progress());
    }
    return move(draining ? Standing.DRAINING : Standing.RETURNING, null, progress());
  }

  /** Back after a failure; told once. */
  private Move rolledBack() {
    boolean told = !state.annotations().containsKey(Names.SWITCHING_SINCE);
    Notice notice =
        Notice.normal("NodeRolledBack", "Node " + node.name() + " is back on kube-proxy.");
    NodeAction action = told ? null : Draft.of(state, node).atRest().tell(notice).build();
    return Move.rolledBack(state, action);
  }

  private Move arrived() {
    if (!state.wanted()) {
      return NodeWalk.forget(state, "NodeLeft", "Node " + state.name() + " is back on kube-proxy.");
    }
    if (state.failedThisGeneration()) {
      return rolledBack();
    }
    if (state.dryRun()) {
      return Preview.again(state, node);
    }
    String away = NodeWalk.away(node);
    if (away != null) {
      return new Move(node.name(), Standing.SKIPPED, null, Move.Start.NONE, false, null, away);
    }
    Notice notice = Notice.normal("NodeStarted", "Taking over node " + node.name() + " once more.");
    return new Move(
        node.name(),
        Standing.WAITING,
        Draft.of(state, node).restart().tell(notice).build(),
        Move.Start.FORWARD,
        false,
        null,
        "waits its turn");
  }

  /** Beyond the deadline and the time that flows have to end. */
  private boolean late() {
    int drain = state.dataplane().getSpec().rollout.drainSeconds;
    return node.ready()
        && state.view().now().isAfter(state.since().plus(state.deadline()).plusSeconds(drain));
  }

  private String progress() {
    boolean forward = state.step().compareTo(Step.CLEAN) <= 0;
    String step = forward ? "Attach" : Words.of(state.step());
    return (node.ready() ? "" : "is NotReady ") + "at step " + step;
  }

  private Move move(Standing standing, @Nullable Draft draft, String note) {
    boolean stuck = !node.ready() && standing != Standing.FAILED;
    return new Move(
        node.name(),
        stuck ? Standing.SKIPPED : standing,
        draft == null ? null : draft.build(),
        Move.Start.NONE,
        false,
        null,
        state.failedThisGeneration() ? note + " after " + state.failureText() : note);
  }
}
