// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.api.SwitchPlan;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the agent was asked for and how far it has come; owned by the sync thread. */
final class WalkState {
  private static final long POLL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Runnable onProgress;
  private final LongSupplier clock;

  /** When the walk goes on if nothing else happens. */
  long notBefore;

  /** Since when the walk waits for an answer, or for flows to end. */
  @Nullable Long waitingSince;

  @Nullable NodeDataplaneSpec spec;
  long generation;
  @Nullable Progress progress;
  List<PreflightFinding> findings = List.of();
  boolean preflightPassed;
  boolean silenced;
  boolean probed;
  boolean alone;
  boolean cleaned;
  boolean rulesServe;
  boolean drained;
  boolean gone;
  @Nullable Long drainingFlows;

  /** What the walk would do, counted before it began; null before, and when it is over. */
  @Nullable SwitchPlan plan;

  /** What preflight has found out about kube-proxy; null before. */
  @Nullable List<Preflight.Finding> ofKubeProxy;

  /** The mode that kube-proxy was found in; null when it was not looked for, or not there. */
  @Nullable KubeProxyMode kubeProxyMode;

  /** What kube-proxy has, as preflight has read it, until the walk is counted. */
  @Nullable List<KubeProxyState> kubeProxyRules;

  /** What preflight has found that kube-proxies left; null before it has looked. */
  @Nullable List<Preflight.Finding> left;

  /** The look at kube-proxy's rules that is under way, if any. */
  @Nullable KubeProxyCheck check;

  /** Set while a chore runs; its outcome is of no use once this has changed. */
  @Nullable Object chore;

  private boolean resumed;

  /**
   * At the beginning.
   *
   * @param onProgress called after each change of {@link #progress}
   */
  WalkState(Runnable onProgress, LongSupplier clock) {
    this.onProgress = onProgress;
    this.clock = clock;
    this.notBefore = clock.getAsLong();
  }

  /** Whether this step is being worked at. */
  boolean isUnder(Step step) {
    return progress != null
        && progress.step() == step
        && progress.result() == StepResult.IN_PROGRESS;
  }

  /** Whether this is why the step is not done. */
  boolean tells(Step step, String reason) {
    return isUnder(step) && progress != null && progress.reason().equals(reason);
  }

  /** The walk has come so far. */
  void tell(Progress reached) {
    if (!reached.equals(progress)) {
      progress = reached;
      onProgress.run();
    }
  }

  /** Something is waited for, which is looked at again in a second; false. */
  boolean await(Step step, String reason, String message) {
    tell(Progress.under(step, reason, message));
    notBefore = clock.getAsLong() + POLL_NANOS;
    return false;
  }

  /** The same for something that kube-proxy has not done at the last look of a check. */
  boolean await(Step step, String reason, String message, KubeProxyCheck looking) {
    boolean goesOn = await(step, reason, message);
    notBefore = Math.max(notBefore, clock.getAsLong() + looking.pauseNanos());
    return goesOn;
  }

  /** Runs a chore; its end moves the walk on, unless the operator has asked for something else. */
  void start(Consumer<Consumer<@Nullable String>> work, Predicate<@Nullable String> end) {
    Object token = new Object();
    chore = token;
    work.accept(
        outcome -> {
          if (chore == token) {
            chore = null;
            if (end.test(outcome)) {
              notBefore = clock.getAsLong();
            }
          }
        });
  }

  /** The check that is under way, or a new one. */
  KubeProxyCheck check(Duration window) {
    KubeProxyCheck begun = check == null ? new KubeProxyCheck(window, clock) : check;
    check = begun;
    return begun;
  }

  /** Whether the spec's target is reached. */
  boolean atTarget() {
    return spec != null && progress != null && progress.isDone() && progress.step() == spec.step;
  }

  /** The operator's wish is gone. */
  void clear() {
    spec = null;
    progress = null;
    chore = null;
  }

  /**
   * The operator asks for this; false when nothing of it is new.
   *
   * @param phase where the wanted dataplane is
   * @param served whether any dataplane of Pointsman's takes new flows; asked where it matters
   */
  boolean ask(NodeDataplane resource, Phase phase, BooleanSupplier served) {
    NodeDataplaneSpec asked = resource.getSpec();
    long askedGeneration = Objects.requireNonNullElse(resource.getMetadata().getGeneration(), 0L);
    if (spec != null && askedGeneration == generation) {
      return false;
    }
    boolean again = spec != null && !asked.attempt.equals(spec.attempt);
    boolean other = spec != null && asked.linuxDataplane != spec.linuxDataplane;
    spec = asked;
    generation = askedGeneration;
    progress = null;
    chore = null;
    check = null;
    ofKubeProxy = null;
    kubeProxyMode = null;
    kubeProxyRules = null;
    left = null;
    rulesServe = false;
    cleaned &= asked.step == Step.CLEAN;
    alone &= asked.step == Step.CLEAN && !other;
    gone &= asked.step == Step.REMOVE;
    preflightPassed &= !again && !other;
    plan = again || other || isBack(asked.step) ? null : plan;
    silenced &= !other;
    probed &= !other;
    cleaned &= !other;
    drained &= !other;
    if (!resumed) {
      resumed = true;
      resume(resource.getStatus(), phase, served);
    }
    return true;
  }

  private static boolean isBack(@Nullable Step step) {
    return step == Step.DRAIN || step == Step.REMOVE;
  }

  /** Whether what was begun is gone, as after a reboot, and nobody else serves the node. */
  private static boolean lost(NodeDataplaneSpec spec, Step failed, BooleanSupplier served) {
    return failed != Step.PREFLIGHT
        && !isBack(failed)
        && Handover.alone(spec)
        && !served.getAsBoolean();
  }

  /** An agent that was here before has written how far it came. */
  private void resume(@Nullable NodeDataplaneStatus status, Phase phase, BooleanSupplier served) {
    if (spec == null || status == null || status.step == null) {
      return;
    }
    findings = status.preflight == null ? List.of() : List.copyOf(status.preflight);
    boolean sameAttempt = spec.attempt.equals(status.attempt);
    boolean done = status.result == StepResult.DONE;
    boolean same = Objects.equals(status.observedGeneration, generation) && sameAttempt;
    // An answer to an older question may have been about another dataplane.
    boolean about = same || phase != Phase.ABSENT;
    preflightPassed = sameAttempt && about && (status.step != Step.PREFLIGHT || done);
    plan = isBack(spec.step) || !about ? null : status.plan;
    boolean serves = phase == Phase.ACTIVE && done;
    probed = serves && (status.step == Step.ACTIVATE || status.step == Step.CLEAN);
    cleaned = serves && status.step == Step.CLEAN && spec.step == Step.CLEAN;
    alone = cleaned;
    gone = same && done && status.step == Step.REMOVE;
    if (same && status.result == StepResult.FAILED && !lost(spec, status.step, served)) {
      progress =
          Progress.failed(
              status.step,
              Objects.requireNonNullElse(status.reason, "Failed"),
              Objects.requireNonNullElse(status.message, ""));
    }
  }
}
