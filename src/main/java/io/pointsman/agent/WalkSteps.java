// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Step;
import io.pointsman.api.Toggle;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.KubeProxyView;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.Preflight;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Performs what {@link StepMachine} decides, on the sync thread and by {@link Chores}. */
final class WalkSteps {
  private static final long POLL_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** kube-proxy in a large cluster takes this long to follow. */
  private static final Duration KUBE_PROXY_WINDOW = Duration.ofSeconds(60);

  private static final Duration RULES_WINDOW = Duration.ofSeconds(10);

  private final Catalogue catalogue;
  private final Kernel kernel;
  private final Chores chores;
  private final LongSupplier clock;
  private final WalkState state;

  WalkSteps(
      Catalogue catalogue, Kernel kernel, Chores chores, LongSupplier clock, WalkState state) {
    this.catalogue = catalogue;
    this.kernel = kernel;
    this.chores = chores;
    this.clock = clock;
    this.state = state;
  }

  /** Performs a decision; true when the next one can follow at once. */
  boolean perform(Decision decision, NodeDataplaneSpec spec, DataplaneInstance target) {
    Step step = decision.step();
    if (decision.action() != Decision.Action.DONE && !state.isUnder(step)) {
      state.tell(Progress.under(step, "Running", "The step is under way."));
    }
    return switch (decision.action()) {
      case DONE -> {
        state.tell(Progress.done(step));
        state.waitingSince = null;
        yield false;
      }
      case AWAIT_SYNC ->
          await(step, "WaitingForCatalogue", "Services and EndpointSlices are being listed.");
      case AWAIT_DETACH ->
          await(step, "WaitingForKubeProxyToLeave", "kube-proxy is still on the node.");
      case CHECK_RULES -> checkRules(step);
      case PREFLIGHT -> preflight(spec, target);
      case PREPARE -> prepare(target);
      case ACTIVATE -> activate(target);
      case PROBE -> probe(spec, target);
      case RETIRE -> retire(spec);
      case CLEAN -> clean(target);
      case DRAIN -> drain(spec);
      case REMOVE -> remove();
    };
  }

  private boolean await(Step step, String reason, String message) {
    state.tell(Progress.under(step, reason, message));
    state.notBefore = clock.getAsLong() + POLL_NANOS;
    return false;
  }

  private boolean preflight(NodeDataplaneSpec spec, DataplaneInstance target) {
    List<Preflight.Finding> ofKubeProxy = state.ofKubeProxy;
    if (spec.kubeProxy == KubeProxyState.ATTACHED && ofKubeProxy == null) {
      return lookAtKubeProxy();
    }
    List<Preflight.Finding> found = new ArrayList<>(target.dataplane().preflight().findings());
    if (ofKubeProxy != null) {
      found.addAll(ofKubeProxy);
    }
    state.ofKubeProxy = null;
    Preflight preflight = new Preflight(found);
    state.findings = Findings.of(preflight, catalogue.problems());
    state.preflightPassed = preflight.passed();
    if (!preflight.passed()) {
      PreflightFinding first = Findings.firstBlocking(state.findings);
      state.tell(
          Progress.failed(
              Step.PREFLIGHT, first.reason, (first.message + " " + first.remedy).strip()));
    }
    return true;
  }

  /** Finds out how the kube-proxy serves that the node is to be taken from. */
  private boolean lookAtKubeProxy() {
    KubeProxyCheck check = state.check(KUBE_PROXY_WINDOW, clock);
    start(
        outcome -> chores.check(check, expected(), outcome),
        difference -> {
          KubeProxyVerdict verdict = check.verdict();
          if (verdict == null) {
            state.ofKubeProxy = KubeProxyFindings.unreadable(difference);
          } else if (verdict.mode().isEmpty() || check.lasts()) {
            state.ofKubeProxy = KubeProxyFindings.of(verdict);
          } else if (difference == null) {
            // What is there only now will go as what was there before has gone.
            Set<Difference> passing = verdict.failures();
            state.ofKubeProxy =
                KubeProxyFindings.of(verdict.keeping(each -> !passing.contains(each)));
          } else {
            return await(Step.PREFLIGHT, "ComparingKubeProxy", difference);
          }
          state.check = null;
          return true;
        });
    return false;
  }

  private List<ExpectedPort> expected() {
    KubeProxyView view = new KubeProxyView(catalogue.nodeName(), Optional.empty());
    List<ExpectedPort> expected = new ArrayList<>();
    catalogue.forEachService((service, slices) -> expected.addAll(view.ports(service, slices)));
    return expected;
  }

  private boolean prepare(DataplaneInstance target) {
    target.prepare();
    target.prove();
    if (!target.prover().proven()) {
      Proof proof = Objects.requireNonNull(target.prover().last());
      String samples = String.join(" ", proof.verdict().samples());
      state.tell(
          Progress.failed(Step.PREPARE, "NotProven", "The kernel could not be mended. " + samples));
    }
    return true;
  }

  /** The others leave new flows at once, or the probe would not tell who answered it. */
  private boolean activate(DataplaneInstance target) {
    target.dataplane().activate();
    kernel.others().stream()
        .filter(other -> other.phase() == Phase.ACTIVE)
        .forEach(DataplaneInstance::drain);
    state.probed = false;
    state.drained = false;
    state.waitingSince = null;
    return true;
  }

  private boolean probe(NodeDataplaneSpec spec, DataplaneInstance target) {
    ServiceReference service = spec.probe;
    if (service == null || spec.verification.probe == Toggle.DISABLED) {
      state.probed = true;
      return true;
    }
    ObjectKey key = new ObjectKey(service.namespace, service.name);
    List<LiveProbe.Target> targets =
        LiveProbe.targets(catalogue.ports(key), target.programmer().nodePortAddresses());
    if (targets.isEmpty()) {
      return probed("The probe Service " + key + " has no TCP port with an endpoint.");
    }
    state.tell(Progress.under(Step.ACTIVATE, "Probing", "Probing Service " + key + "."));
    start(outcome -> chores.probe(targets, catalogue.nodesOf(key), outcome), this::probed);
    return false;
  }

  private boolean probed(@Nullable String failure) {
    long now = clock.getAsLong();
    if (failure == null) {
      state.probed = true;
      return true;
    }
    if (state.waitingSince == null) {
      state.waitingSince = now;
    }
    if (now - state.waitingSince >= PROBE_NANOS) {
      state.tell(Progress.failed(Step.ACTIVATE, "ProbeFailed", failure));
      return false;
    }
    return await(Step.ACTIVATE, "Probing", failure);
  }

  private boolean clean(DataplaneInstance target) {
    state.tell(Progress.under(Step.CLEAN, "Cleaning", "What kube-proxy left is being removed."));
    start(
        outcome -> chores.clean(target.kind(), outcome),
        left -> {
          state.cleaned = left == null;
          return left == null || await(Step.CLEAN, "LeftoversRemain", left);
        });
    return false;
  }

  private boolean checkRules(Step step) {
    KubeProxyCheck check = state.check(RULES_WINDOW, clock);
    start(
        outcome -> chores.check(check, expected(), outcome),
        unserved -> {
          state.rulesServe = unserved == null;
          return unserved == null
              || await(
                  step,
                  "WaitingForKubeProxyRules",
                  "kube-proxy's rules do not serve every Service yet. " + unserved);
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
    return await(Step.DRAIN, "Draining", "Established connections get time to end.");
  }

  private boolean retire(NodeDataplaneSpec spec) {
    if (state.waitingSince == null) {
      state.waitingSince = clock.getAsLong();
    }
    if (!drained(spec, kernel.others())) {
      return await(Step.CLEAN, "Draining", "Connections of the dataplane before get time to end.");
    }
    kernel.others().forEach(DataplaneInstance::remove);
    kernel.forgetAbsent();
    state.drainingFlows = null;
    state.waitingSince = null;
    return true;
  }

  /** Whether no flow needs these any more, or the time for it is over. */
  private boolean drained(NodeDataplaneSpec spec, Collection<DataplaneInstance> leaving) {
    long flows = 0;
    for (DataplaneInstance instance : leaving) {
      Phase phase = instance.phase();
      if (phase == Phase.ACTIVE || phase == Phase.DRAINING) {
        flows += instance.drain().flows();
      } else {
        // It never took traffic, so there is nothing to wait for.
        instance.stop();
      }
    }
    state.drainingFlows = flows;
    long waited = clock.getAsLong() - Objects.requireNonNull(state.waitingSince);
    return flows == 0 || waited >= TimeUnit.SECONDS.toNanos(spec.drainSeconds);
  }

  private boolean remove() {
    kernel.all().forEach(DataplaneInstance::remove);
    kernel.forgetAbsent();
    state.drainingFlows = null;
    state.drained = false;
    state.probed = false;
    state.cleaned = false;
    state.preflightPassed = false;
    return true;
  }

  /** Runs a chore; its end moves the walk on, unless the operator has asked for something else. */
  private void start(Consumer<Consumer<@Nullable String>> chore, Predicate<@Nullable String> end) {
    Object token = new Object();
    state.chore = token;
    chore.accept(
        outcome -> {
          if (state.chore == token) {
            state.chore = null;
            if (end.test(outcome)) {
              state.notBefore = clock.getAsLong();
            }
          }
        });
  }
}
