// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Step;
import io.pointsman.api.Toggle;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DrainState;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Performs what {@link StepMachine} decides, on the sync thread and by {@link Chores}. */
final class WalkSteps {
  private static final String LEFTOVERS = "LeftoversRemain";

  private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final Duration RULES_WINDOW = Duration.ofSeconds(10);

  private final Catalogue catalogue;
  private final Kernel kernel;
  private final Chores chores;
  private final LongSupplier clock;
  private final WalkState state;
  private final PreflightStep preflight;

  WalkSteps(
      Catalogue catalogue, Kernel kernel, Chores chores, LongSupplier clock, WalkState state) {
    this.catalogue = catalogue;
    this.kernel = kernel;
    this.chores = chores;
    this.clock = clock;
    this.state = state;
    this.preflight = new PreflightStep(catalogue, kernel, chores, state);
  }

  /** Performs a decision; true when the next one can follow at once. */
  boolean perform(Decision decision, NodeDataplaneSpec spec, DataplaneInstance target) {
    Step step = decision.step();
    if (decision.action() != Decision.Action.DONE && !state.isUnder(step)) {
      state.tell(Progress.under(step, "Running", "The step is under way."));
    }
    return switch (decision.action()) {
      case DONE -> {
        // What would be done has been done.
        state.plan = step == Step.CLEAN ? null : state.plan;
        state.tell(Progress.done(step));
        state.waitingSince = null;
        yield false;
      }
      case AWAIT_SYNC ->
          state.await(step, "WaitingForCatalogue", "Services and EndpointSlices are being listed.");
      case AWAIT_DETACH ->
          state.await(step, "WaitingForKubeProxyToLeave", "kube-proxy is still on the node.");
      case CHECK_RULES -> checkRules(step);
      case PREFLIGHT -> preflight.perform(spec, target);
      case PREPARE -> prepare(target);
      case ACTIVATE -> activate(target);
      case SILENCE -> silence();
      case PROBE -> probe(spec, target);
      case RETIRE -> retire(spec, target);
      case CLEAN -> clean(spec, target);
      case DRAIN -> drain(spec);
      case REMOVE -> remove();
    };
  }

  private boolean prepare(DataplaneInstance target) {
    target.prepare();
    return proves(Step.PREPARE, target);
  }

  private boolean proves(Step step, DataplaneInstance target) {
    target.prove();
    if (target.prover().proven()) {
      return true;
    }
    Proof proof = Objects.requireNonNull(target.prover().last());
    String samples = String.join(" ", proof.verdict().samples());
    state.tell(Progress.failed(step, "NotProven", "The kernel could not be mended. " + samples));
    return false;
  }

  /** The others leave new flows at once, or the probe would not tell who answered it. */
  private boolean activate(DataplaneInstance target) {
    // It may come to half of it; then all is prepared once more.
    target.prover().forget();
    Runnable takeOver = target.dataplane()::activate;
    for (DataplaneInstance other : kernel.others()) {
      if (other.phase() == Phase.ACTIVE) {
        Runnable before = takeOver;
        takeOver = () -> other.drainAfter(before);
      }
    }
    TakeOver.amid(
        each -> chores.handOverAfter(each, target.kind()),
        takeOver,
        "Answers to new flows may be lost until kube-proxy has left");
    // It looked at flows before these were handed over.
    target.dataplane().maintain();
    state.silenced = false;
    state.probed = false;
    state.alone = false;
    state.drained = false;
    state.waitingSince = null;
    // What serves is more than what was prepared.
    return proves(Step.ACTIVATE, target);
  }

  /** Or kube-proxy's old table might answer the probe. */
  private boolean silence() {
    state.start(
        chores::silence,
        left -> {
          state.silenced = left == null;
          return left == null || state.await(Step.ACTIVATE, LEFTOVERS, left);
        });
    return false;
  }

  private boolean probe(NodeDataplaneSpec spec, DataplaneInstance target) {
    ServiceReference service = spec.probe;
    if (service == null || spec.verification.probe == Toggle.DISABLED) {
      return probed(null);
    }
    ObjectKey key = new ObjectKey(service.namespace, service.name);
    List<LiveProbe.Target> targets =
        LiveProbe.targets(catalogue.ports(key), target.programmer().nodePortAddresses());
    if (targets.isEmpty()) {
      return probed("The probe Service " + key + " has no TCP port with an endpoint.");
    }
    if (state.waitingSince == null) { // or why it was not answered is still told
      state.tell(Progress.under(Step.ACTIVATE, "Probing", "Probing Service " + key + "."));
    }
    state.start(
        outcome -> chores.probe(targets, catalogue.nodesOf(key), outcome),
        failure -> probed(failure == null ? null : "Service " + key + ": " + failure));
    return false;
  }

  private boolean probed(@Nullable String failure) {
    long now = clock.getAsLong();
    if (failure == null) {
      state.probed = true;
      // What is waited for next has a time of its own.
      state.waitingSince = null;
      return true;
    }
    if (state.waitingSince == null) {
      state.waitingSince = now;
    }
    if (now - state.waitingSince >= PROBE_NANOS) {
      state.tell(Progress.failed(Step.ACTIVATE, "ProbeFailed", failure));
      return false;
    }
    return state.await(Step.ACTIVATE, "Probing", failure);
  }

  private boolean clean(NodeDataplaneSpec spec, DataplaneInstance target) {
    DrainState draining = chores.drain(target.kind());
    if (!draining.drained() && !drainTimeIsOver(spec)) {
      state.drainingFlows = draining.flows();
      return state.await(
          Step.CLEAN, "Draining", "Connections that kube-proxy's ip_vs has get time to end.");
    }
    state.drainingFlows = null;
    state.waitingSince = null;
    if (!state.tells(Step.CLEAN, LEFTOVERS)) { // or what cannot be removed is still told
      state.tell(Progress.under(Step.CLEAN, "Cleaning", "What kube-proxy left is being removed."));
    }
    state.start(
        outcome -> chores.clean(target.kind(), outcome),
        left -> {
          target.dataplane().maintain();
          state.cleaned = left == null;
          return left == null || state.await(Step.CLEAN, LEFTOVERS, left);
        });
    return false;
  }

  private boolean checkRules(Step step) {
    KubeProxyCheck check = state.check(RULES_WINDOW);
    state.start(
        outcome -> chores.check(check, KubeProxyCheck.expected(catalogue), outcome),
        unserved -> {
          state.rulesServe = unserved == null;
          return unserved == null
              || state.await(
                  step,
                  "WaitingForKubeProxyRules",
                  "kube-proxy's rules do not serve every Service yet. " + unserved,
                  check);
        });
    return false;
  }

  private boolean drain(NodeDataplaneSpec spec) {
    if (state.waitingSince == null || kernel.phase() != Phase.DRAINING) {
      state.waitingSince = clock.getAsLong();
    }
    state.drained = drained(spec, kernel.all());
    if (state.drained) {
      return true;
    }
    return state.await(Step.DRAIN, "Draining", "Established connections get time to end.");
  }

  private boolean retire(NodeDataplaneSpec spec, DataplaneInstance target) {
    if (!drained(spec, kernel.others())) {
      return state.await(
          Step.CLEAN, "Draining", "Connections of the dataplane before get time to end.");
    }
    List<String> left = kernel.removeAllBut(target);
    // Flows that ended with the others are the target's from their next packet on.
    target.dataplane().maintain();
    state.drainingFlows = null;
    state.waitingSince = null;
    state.alone = left.isEmpty();
    return state.alone || awaitGone(Step.CLEAN, left);
  }

  /** What is of ours has no other use, so it is removed until it is read to be gone. */
  private boolean awaitGone(Step step, List<String> left) {
    return state.await(step, LEFTOVERS, "Of Pointsman is left: " + Chores.some(left) + ".");
  }

  /** Whether no flow needs these any more, or the time for it is over. */
  private boolean drained(NodeDataplaneSpec spec, Collection<DataplaneInstance> leaving) {
    long flows = 0;
    boolean drained = true;
    for (DataplaneInstance instance : leaving) {
      Phase phase = instance.phase();
      if (phase == Phase.ACTIVE || phase == Phase.DRAINING) {
        DrainState draining = instance.drain();
        flows += draining.flows();
        drained &= draining.drained();
      } else {
        // It never took traffic, so there is nothing to wait for.
        instance.stop();
      }
    }
    state.drainingFlows = flows;
    boolean timeIsOver = drainTimeIsOver(spec);
    return drained || timeIsOver;
  }

  /** Whether flows had the time that they get to end; it begins with the first question. */
  private boolean drainTimeIsOver(NodeDataplaneSpec spec) {
    long now = clock.getAsLong();
    if (state.waitingSince == null) {
      state.waitingSince = now;
    }
    return now - state.waitingSince >= TimeUnit.SECONDS.toNanos(spec.drainSeconds);
  }

  private boolean remove() {
    List<String> left = kernel.removeAllBut(null);
    state.drainingFlows = null;
    state.drained = false;
    state.silenced = false;
    state.probed = false;
    state.cleaned = false;
    state.preflightPassed = false;
    state.gone = left.isEmpty();
    return state.gone || awaitGone(Step.REMOVE, left);
  }
}
