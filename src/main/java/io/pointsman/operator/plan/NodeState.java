// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one ruled node that has a NodeDataplane, with the questions that the walk asks.
 *
 * @param node null when the Node is gone
 * @param wanted whether the node shall be on the dataplane
 * @param refused whether the resource is not acted on, so that the node keeps to what it has
 */
record NodeState(
    ClusterView view,
    ProxyDataplane dataplane,
    @Nullable NodeView node,
    NodeDataplane current,
    boolean wanted,
    boolean refused) {

  /** Agents report at least every 5 minutes; after three silent ones something is wrong. */
  private static final Duration SILENCE = Duration.ofMinutes(15);

  /** How long a failed step of the way back rests before it is tried again. */
  private static final Duration TRY_AGAIN = Duration.ofSeconds(30);

  /** How long an agent may say nothing before kube-proxy comes all the same. */
  private static final Duration MUTE = Duration.ofMinutes(1);

  String name() {
    return current.getMetadata().getName();
  }

  NodeDataplaneSpec spec() {
    return current.getSpec();
  }

  Step step() {
    return Objects.requireNonNullElse(spec().step, Step.PREFLIGHT);
  }

  boolean managed() {
    return dataplane.getSpec().kubeProxy.management == KubeProxyManagement.MANAGED;
  }

  Optional<KubeProxyView> kubeProxy() {
    return view.kubeProxyOf(dataplane);
  }

  Optional<PodState> kubeProxyPod() {
    return kubeProxy().flatMap(proxy -> proxy.pod(name()));
  }

  /** The agent's answer to the present spec; empty while it has only answered an older one. */
  Optional<NodeDataplaneStatus> answer() {
    NodeDataplaneStatus status = current.getStatus();
    boolean answered =
        status != null
            && Objects.equals(status.observedGeneration, current.getMetadata().getGeneration())
            && (status.attempt == null || status.attempt.equals(spec().attempt));
    return answered ? Optional.of(status) : Optional.empty();
  }

  /** Whether the agent has done the step that was asked for. */
  boolean done() {
    return answer()
        .filter(status -> status.step == spec().step && status.result == StepResult.DONE)
        .isPresent();
  }

  /**
   * Whether no agent has ever worked on the node: it is asked for more than a look around only
   * after it has answered. An image that cannot be pulled must not hold a deletion.
   */
  boolean neverTouched() {
    return current.getStatus() == null && !Handover.away(current);
  }

  boolean proven() {
    return done() && answer().filter(status -> Boolean.TRUE.equals(status.proven)).isPresent();
  }

  Optional<NodeDataplaneStatus> failure() {
    return answer().filter(status -> status.result == StepResult.FAILED);
  }

  /** Whether a step of the way back has failed, and is to be tried again now. */
  boolean triesAgain() {
    return failure().isPresent() && unasked(TRY_AGAIN);
  }

  /**
   * Whether kube-proxy may start: as it does it may delete what serves the node, until the agent
   * has said that something stands in for it (ADR 8). An agent that is silent, or does not get
   * there, holds nothing up for ever.
   */
  boolean mayAttach() {
    return !sharesNames()
        || done()
        || failure().isPresent()
        || unasked(answer().isPresent() ? deadline() : MUTE);
  }

  /** Whether the node is, or was before this walk, on a dataplane that kube-proxy's names serve. */
  private boolean sharesNames() {
    String replaced = annotations().get(Names.REPLACES);
    return Stream.of(LinuxDataplane.values())
        .filter(kind -> DetachOrder.of(kind) == DetachOrder.BEFORE_PREPARE)
        .anyMatch(kind -> kind == spec().linuxDataplane || Words.of(kind).equals(replaced));
  }

  /** Whether the agent saw the Services that the operator saw within the last minute. */
  boolean catalogueAgrees() {
    return answer()
        .map(status -> status.catalogueDigest)
        .filter(view.recentDigests()::contains)
        .isPresent();
  }

  boolean ready() {
    return node != null && node.ready();
  }

  /** Since when the deadline of a walk or a look counts; time while the node is away does not. */
  Instant since() {
    Instant began = instant(Names.SWITCHING_SINCE).orElseGet(this::asked);
    return node == null ? began : node.readyAfter(began, view.now());
  }

  boolean overdue() {
    return view.now().isAfter(since().plus(deadline()).plus(draining()));
  }

  /** Clean lets the flows of the dataplane that was replaced end, which is no delay of the walk. */
  private Duration draining() {
    boolean drains =
        step() == Step.CLEAN && (annotations().containsKey(Names.REPLACES) || flowsEnd());
    return drains ? Duration.ofSeconds(spec().drainSeconds) : Duration.ZERO;
  }

  /** Whether the agent waits for flows of what served before, perhaps of kube-proxy's ip_vs. */
  boolean flowsEnd() {
    return answer().filter(status -> status.drainingFlows != null).isPresent();
  }

  /** Whether the node is to stay where it is for now, however long that takes. */
  boolean heldBack() {
    return frozen() && followed();
  }

  private boolean frozen() {
    boolean paused = dataplane.getSpec().rollout.paused && !dataplane.isMarkedForDeletion();
    return paused || refused || dryRun();
  }

  /**
   * Whether somebody brings changes of the cluster's Services to what serves the node, so that it
   * may stay where it is for long. Between Detach and Activate nobody does where the walk began on
   * kube-proxy: its rules serve on without it. When in doubt, the answer is no.
   */
  boolean followed() {
    KubeProxyState kubeProxy = spec().kubeProxy;
    if (kubeProxy == null) {
      return true;
    }
    return switch (kubeProxy) {
      case ATTACHED -> true;
      // What is there, or its stand-in (ADR 8), until kube-proxy is, which nothing holds up.
      case ATTACHING -> true;
      case DETACHING -> step() == Step.ACTIVATE && !leavesBeforePrepare(spec().linuxDataplane);
      case DETACHED ->
          origin().isPresent() || step() == Step.CLEAN || (step() == Step.ACTIVATE && done());
    };
  }

  private static boolean leavesBeforePrepare(@Nullable LinuxDataplane kind) {
    return kind == null || DetachOrder.of(kind) == DetachOrder.BEFORE_PREPARE;
  }

  /** Whether what the resource asks for now is not for a node in the middle of its walk. */
  boolean keepsToItsCourse() {
    return (refused || dryRun()) && !settled();
  }

  boolean dryRun() {
    return dataplane.getSpec().rollout.dryRun && !dataplane.isMarkedForDeletion();
  }

  /** Whether a dry run or the look ahead has asked for Preflight, and no walk has begun. */
  boolean previewed() {
    return step() == Step.PREFLIGHT && !annotations().containsKey(Names.SWITCHING_SINCE);
  }

  /** Whether the node has arrived at a dataplane and nothing has been asked of it since. */
  boolean settled() {
    return step() == Step.CLEAN && convergedSince().isPresent();
  }

  /** Whether the resource asks for another dataplane than the node was asked for last. */
  boolean otherDataplane() {
    return spec().linuxDataplane != dataplane.getSpec().linuxDataplane;
  }

  /** What the walk began on; empty for kube-proxy. */
  Optional<Origin> origin() {
    return Origin.parse(annotations().get(Names.ORIGIN));
  }

  /** Whether the node failed and is on its way back to, or at, the own dataplane it began on. */
  boolean rollsBack() {
    return failedThisGeneration() && origin().filter(origin -> origin.same(spec())).isPresent();
  }

  Duration deadline() {
    return Duration.ofSeconds(dataplane.getSpec().rollout.progressDeadlineSeconds);
  }

  /** Whether nothing has been asked of the agent for that long. */
  boolean unasked(Duration duration) {
    return view.now().isAfter(asked().plus(duration));
  }

  /** When the agent was asked for what it is asked for now. */
  Instant asked() {
    return instant(Names.ASKED_AT)
        .or(() -> parse(current.getMetadata().getCreationTimestamp()))
        .orElse(view.now());
  }

  /** Whether a converged node's agent has stopped reporting. */
  boolean silent() {
    NodeDataplaneStatus status = current.getStatus();
    return status != null
        && parse(status.verifiedAt)
            .filter(verified -> view.now().isAfter(verified.plus(silence())))
            .isPresent();
  }

  /** How long a converged node may go unproven; its agent reads back as often as it is asked to. */
  Duration silence() {
    return SILENCE.plusSeconds(spec().verification.intervalSeconds);
  }

  boolean failedThisGeneration() {
    return isGeneration(dataplane, spec(), annotations().get(Names.FAILED_GENERATION));
  }

  /** Whether it is the generation of this resource: another that had the node counts its own. */
  static boolean isGeneration(
      ProxyDataplane dataplane, NodeDataplaneSpec spec, @Nullable String generation) {
    return dataplane.getMetadata().getName().equals(spec.proxyDataplane)
        && Long.toString(dataplane.getMetadata().getGeneration()).equals(generation);
  }

  /** Whether a failure is told of, be its generation older, or taken off for another try. */
  boolean hasFailure() {
    return annotations().containsKey(Names.FAILURE);
  }

  String failureText() {
    return annotations().getOrDefault(Names.FAILURE, "failed");
  }

  /** Whether it was asked for by this resource. */
  boolean ofThisResource() {
    return dataplane.getMetadata().getName().equals(spec().proxyDataplane);
  }

  boolean ofThisGeneration() {
    return Long.toString(dataplane.getMetadata().getGeneration())
        .equals(annotations().get(Names.GENERATION));
  }

  Optional<Instant> convergedSince() {
    return instant(Names.CONVERGED_SINCE);
  }

  Map<String, String> annotations() {
    Map<String, String> annotations = current.getMetadata().getAnnotations();
    return annotations == null ? Map.of() : annotations;
  }

  private Optional<Instant> instant(String annotation) {
    return parse(annotations().get(annotation));
  }

  /** Reads RFC 3339; what a person has garbled counts as absent. */
  static Optional<Instant> parse(@Nullable String text) {
    try {
      return text == null ? Optional.empty() : Optional.of(Instant.parse(text));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
