// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.OnFailure;
import io.pointsman.api.Step;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The way of one node to the dataplane: Preflight, Prepare, Activate, Detach, Clean. */
final class WalkForward {
  /** How long a stale answer may stand before the agent is asked again. */
  private static final Duration ASK_AGAIN = Duration.ofSeconds(30);

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
      return move(Standing.FAILED, null, state.failureText());
    }
    if (state.hasFailure()) {
      Draft again = Draft.of(state, node).target().forget().began().retry();
      return move(Standing.SWITCHING, again, "tries again");
    }
    if (!Target.matches(state.spec(), state.dataplane(), state.view().probe())) {
      return retarget();
    }
    if (state.step() == Step.CLEAN && state.convergedSince().isPresent()) {
      return settled();
    }
    if (!node.ready()) {
      return state.overdue()
          ? move(Standing.SKIPPED, null, "is NotReady at step " + Words.of(state.step()))
          : move(Standing.SWITCHING, null, "is NotReady");
    }
    if (!state.ofThisGeneration() || (state.overdue() && keptWaiting())) {
      return move(Standing.SWITCHING, Draft.of(state, node).began(), progress());
    }
    return failure().map(this::fail).orElseGet(this::advance);
  }

  /** Somebody took the selector out: that kube-proxy does not leave is not the node's failure. */
  private boolean keptWaiting() {
    return state.spec().kubeProxy == KubeProxyState.DETACHING
        && state.kubeProxy().filter(KubeProxyView::selectorHeld).isEmpty();
  }

  /** The spec asks for something else than what this node has or is on its way to. */
  private Move retarget() {
    Draft draft = Draft.of(state, node).target().began();
    if (state.convergedSince().isPresent()) {
      return new Move(
          node.name(),
          node.ready() ? Standing.WAITING : Standing.SKIPPED,
          node.ready() ? draft.build() : null,
          Move.Start.FORWARD,
          false,
          null,
          node.ready() ? "waits for its turn to follow the new spec" : "is NotReady");
    }
    return move(Standing.SWITCHING, draft, progress());
  }

  /** A node that had converged: is it still? */
  private Move settled() {
    if (!node.ready()) {
      return converged("is NotReady");
    }
    if (handoverDiffers()) {
      return move(
          Standing.SWITCHING, handover(), "kube-proxy is back on it and is taken off again");
    }
    if (state.silent()) {
      return move(
          Standing.FAILED,
          null,
          "its agent has not reported for " + NodeState.SILENCE.toMinutes() + " minutes");
    }
    if (state.proven()) {
      return converged("");
    }
    return move(Standing.SWITCHING, Draft.of(state, node).began(), "is being proven again");
  }

  private Optional<String> failure() {
    Optional<NodeDataplaneStatus> failed = state.failure();
    if (failed.isPresent()) {
      NodeDataplaneStatus status = failed.get();
      Step at = status.step == null ? state.step() : status.step;
      return Optional.of(
          text(status.reason, "Failed")
              + ": "
              + text(status.message, "the agent gave no message")
              + " (step "
              + Words.of(at)
              + ")");
    }
    if (state.overdue() && !state.paused()) {
      return Optional.of(
          "ProgressDeadlineExceeded: not done within "
              + state.deadline().toSeconds()
              + " s ("
              + progress()
              + ")");
    }
    return Optional.empty();
  }

  private Move fail(String failure) {
    Notice notice =
        Notice.warning("NodeFailed", "Node " + node.name() + " failed: " + failure + ".");
    Draft draft = Draft.of(state, node).failed(failure).tell(notice);
    if (state.dataplane().getSpec().rollout.onFailure == OnFailure.PAUSE) {
      return move(Standing.FAILED, draft, failure);
    }
    return move(Standing.RETURNING, WalkBack.begin(state, draft), failure);
  }

  private Move advance() {
    return switch (state.step()) {
      case PREFLIGHT -> stepTo(Step.PREPARE);
      case PREPARE -> stepTo(Step.ACTIVATE);
      case ACTIVATE -> handOver();
      case CLEAN -> finish();
      case DRAIN, REMOVE -> throw new IllegalStateException("a node on its way back: " + state);
    };
  }

  private Move stepTo(Step step) {
    Draft draft = state.done() ? Draft.of(state, node).step(step) : null;
    return move(Standing.SWITCHING, draft, progress());
  }

  /** Activated: takes kube-proxy off the node as soon as nothing speaks against it. */
  private Move handOver() {
    if (state.spec().kubeProxy == KubeProxyState.DETACHING && state.managed()) {
      if (node.labelled() || state.kubeProxyPod().isPresent()) {
        return move(Standing.SWITCHING, null, "waits for kube-proxy's pod to leave");
      }
      Draft detached = Draft.of(state, node).kubeProxy(KubeProxyState.DETACHED).step(Step.CLEAN);
      return move(
          Standing.SWITCHING,
          detached.tell(
              Notice.normal("KubeProxyLeft", "kube-proxy has left node " + node.name() + ".")),
          progress());
    }
    if (!state.done()) {
      return move(Standing.SWITCHING, null, progress());
    }
    if (!state.catalogueAgrees()) {
      Draft again = state.unasked(ASK_AGAIN) ? Draft.of(state, node).retry() : null;
      return move(Standing.SWITCHING, again, "its agent sees other Services than the operator");
    }
    if (!state.managed()) {
      return move(
          Standing.SWITCHING, Draft.of(state, node).kubeProxy(null).step(Step.CLEAN), progress());
    }
    return detach();
  }

  private Move detach() {
    boolean held = state.kubeProxy().filter(KubeProxyView::selectorHeld).isPresent();
    return move(
        Standing.SWITCHING,
        held ? Draft.of(state, node).kubeProxy(KubeProxyState.DETACHING) : null,
        held ? "kube-proxy leaves" : "waits for the nodeSelector of kube-proxy's DaemonSet");
  }

  /** Cleaned: converged once the agent has proven it. */
  private Move finish() {
    if (handoverDiffers()) {
      return move(Standing.SWITCHING, handover(), "waits for kube-proxy's pod to leave");
    }
    if (!state.proven()) {
      return move(Standing.SWITCHING, null, progress());
    }
    Notice notice =
        Notice.normal(
            "NodeConverged",
            "Node "
                + node.name()
                + " is proven to serve every Service by "
                + Words.of(Objects.requireNonNull(state.spec().linuxDataplane))
                + ".");
    return new Move(
        node.name(),
        Standing.CONVERGED,
        Draft.of(state, node).converged().tell(notice).build(),
        Move.Start.NONE,
        true,
        state.view().now(),
        "");
  }

  /** Whether a taken-over node has kube-proxy on it, or is not yet how management wants it. */
  private boolean handoverDiffers() {
    if (!state.managed()) {
      return state.spec().kubeProxy != null;
    }
    return state.spec().kubeProxy != KubeProxyState.DETACHED || state.kubeProxyPod().isPresent();
  }

  private Draft handover() {
    Draft draft = Draft.of(state, node).began();
    return state.managed()
        ? draft.kubeProxy(KubeProxyState.DETACHING).step(Step.ACTIVATE)
        : draft.kubeProxy(null);
  }

  /** The node is ruled no more. A node on the move turns at once, a settled one in its turn. */
  private Move turnBack() {
    boolean settled = state.convergedSince().isPresent() || state.failedThisGeneration();
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
        hold ? Standing.SKIPPED : settled ? Standing.WAITING : Standing.RETURNING,
        hold ? null : action,
        settled ? Move.Start.BACK : Move.Start.NONE,
        false,
        null,
        hold ? "is NotReady and cannot be given back" : "goes back to kube-proxy");
  }

  private String progress() {
    return "at step " + Words.of(state.step());
  }

  private Move converged(String note) {
    return new Move(
        node.name(),
        Standing.CONVERGED,
        null,
        Move.Start.NONE,
        true,
        state.convergedSince().orElse(null),
        note);
  }

  private Move move(Standing standing, @Nullable Draft draft, String note) {
    NodeAction action = draft == null ? null : draft.build();
    return new Move(node.name(), standing, action, Move.Start.NONE, true, null, note);
  }

  private static String text(@Nullable String value, String otherwise) {
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
