// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Step;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The next step of a node that stays its course: Preflight, Prepare, Activate, Clean, and Detach
 * where {@link DetachOrder} has it if kube-proxy is still there.
 */
final class Onward {
  /** How long a stale answer may stand before the agent is asked again. */
  private static final Duration ASK_AGAIN = Duration.ofSeconds(30);

  private final NodeState state;
  private final NodeView node;

  Onward(NodeState state, NodeView node) {
    this.state = state;
    this.node = node;
  }

  /**
   * What comes next.
   *
   * @param fail what to do about a failure, given in words
   */
  Move next(Function<String, Move> fail) {
    if (state.settled()) {
      return settled();
    }
    if (!node.ready()) {
      return state.overdue()
          ? move(Standing.SKIPPED, null, "is NotReady at step " + Words.of(state.step()))
          : move(Standing.SWITCHING, null, "is NotReady");
    }
    if (!state.ofThisGeneration() || (state.overdue() && keptWaiting()) || heldForLong()) {
      return move(Standing.SWITCHING, Draft.of(state, node).began(), progress());
    }
    Optional<String> failure = failure();
    return failure.isPresent() ? fail.apply(failure.get()) : advance();
  }

  /** Somebody took the selector out: that kube-proxy does not leave is not the node's failure. */
  private boolean keptWaiting() {
    return state.spec().kubeProxy == KubeProxyState.DETACHING
        && state.kubeProxy().filter(KubeProxyView::selectorHeld).isEmpty();
  }

  /** Time in which it is held back is none of its own: the deadline begins anew, now and then. */
  private boolean heldForLong() {
    Duration some = state.deadline().dividedBy(10);
    return state.heldBack() && state.view().now().isAfter(state.since().plus(some));
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
          "its agent has not reported for " + state.silence().toMinutes() + " minutes");
    }
    if (state.proven()) {
      return converged("");
    }
    return move(Standing.SWITCHING, Draft.of(state, node).began(), "is being proven again");
  }

  /** What the agent has failed at, in words. */
  static Optional<String> failed(NodeState state) {
    return state
        .failure()
        .map(
            status ->
                text(status.reason, "Failed")
                    + ": "
                    + text(status.message, "the agent gave no message")
                    + " (step "
                    + Words.of(Objects.requireNonNullElse(status.step, state.step()))
                    + ")");
  }

  private Optional<String> failure() {
    Optional<String> failed = failed(state);
    if (failed.isPresent()) {
      return failed;
    }
    if (state.overdue() && !finished()) {
      return Optional.of(
          "ProgressDeadlineExceeded: not done within "
              + state.deadline().toSeconds()
              + " s: "
              + hindrance()
              + " (step "
              + Words.of(state.step())
              + ")");
    }
    return Optional.empty();
  }

  /** What the operator waits for, or else what the agent says that it does. */
  private String hindrance() {
    String note = advance().note();
    String silent = "its agent has not told of it";
    return note.equals(progress())
        ? state.answer().map(status -> text(status.message, silent)).orElse(silent)
        : note;
  }

  /** The next step of the walk, whether or not it is late. */
  Move advance() {
    if (state.managed() && state.spec().kubeProxy == KubeProxyState.DETACHING) {
      return leaving();
    }
    if (state.step() == Step.CLEAN) {
      return finish();
    }
    if (!state.done()) {
      return move(Standing.SWITCHING, null, progress());
    }
    boolean detach =
        state.managed()
            && state.spec().kubeProxy != KubeProxyState.DETACHED
            && DetachOrder.of(dataplane()).holds(state.step());
    if ((detach || state.step() == Step.ACTIVATE) && !state.catalogueAgrees()) {
      Draft again = state.unasked(ASK_AGAIN) ? Draft.of(state, node).retry() : null;
      return move(Standing.SWITCHING, again, "its agent sees other Services than the operator");
    }
    return detach ? detach() : move(Standing.SWITCHING, stepOn(state.spec().kubeProxy), progress());
  }

  private Draft stepOn(@Nullable KubeProxyState kubeProxy) {
    return Draft.of(state, node)
        .kubeProxy(state.managed() ? kubeProxy : null)
        .step(following(state.step()));
  }

  private static Step following(Step done) {
    return switch (done) {
      case PREFLIGHT -> Step.PREPARE;
      case PREPARE -> Step.ACTIVATE;
      case ACTIVATE, CLEAN -> Step.CLEAN;
      case DRAIN, REMOVE -> throw new IllegalStateException("a step of the way back: " + done);
    };
  }

  /** Takes kube-proxy off the node as soon as nothing speaks against it. */
  private Move detach() {
    boolean held = state.kubeProxy().filter(KubeProxyView::selectorHeld).isPresent();
    return move(
        Standing.SWITCHING,
        held ? Draft.of(state, node).kubeProxy(KubeProxyState.DETACHING) : null,
        held ? "kube-proxy leaves" : "waits for the nodeSelector of kube-proxy's DaemonSet");
  }

  /** kube-proxy is being taken off, perhaps for a dataplane that is not the present one. */
  private Move leaving() {
    if (node.labelled() || state.kubeProxyPod().isPresent()) {
      return move(Standing.SWITCHING, null, "waits for kube-proxy's pod to leave");
    }
    boolean goesOn = state.step() == Step.ACTIVATE || state.done();
    Draft left =
        goesOn
            ? stepOn(KubeProxyState.DETACHED)
            : Draft.of(state, node).kubeProxy(KubeProxyState.DETACHED);
    return move(
        Standing.SWITCHING,
        left.tell(Notice.normal("KubeProxyLeft", "kube-proxy has left node " + node.name() + ".")),
        progress());
  }

  /** Cleaned: converged once the agent has proven it. */
  private Move finish() {
    if (handoverDiffers()) {
      return move(Standing.SWITCHING, handover(), "waits for kube-proxy's pod to leave");
    }
    if (!state.proven()) {
      return state.flowsEnd()
          ? move(Standing.DRAINING, drains(), progress())
          : move(Standing.SWITCHING, null, progress());
    }
    Notice notice =
        Notice.normal(
            "NodeConverged",
            "Node "
                + node.name()
                + " is proven to serve every Service by "
                + Words.of(dataplane())
                + ".");
    return new Move(
        node.name(),
        Standing.CONVERGED,
        Draft.of(state, node).converged().forgetOrigin().tell(notice).build(),
        Move.Start.NONE,
        true,
        state.view().now(),
        "");
  }

  /** Whether it has arrived, however late the operator sees that. */
  private boolean finished() {
    return state.step() == Step.CLEAN && state.proven() && !handoverDiffers();
  }

  /** Remembers that flows were waited for, also those that kube-proxy left; null when known. */
  private @Nullable Draft drains() {
    boolean known = state.annotations().containsKey(Names.REPLACES);
    return known ? null : Draft.of(state, node).replacesKubeProxy();
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

  private LinuxDataplane dataplane() {
    return Objects.requireNonNull(state.spec().linuxDataplane);
  }

  private String progress() {
    return progress(state);
  }

  static String progress(NodeState state) {
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
