// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Step;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Looks before anything is changed: at kube-proxy, at what the walk would do, at the kernel. */
final class PreflightStep {
  private final Catalogue catalogue;
  private final Kernel kernel;
  private final Chores chores;
  private final WalkState state;

  PreflightStep(Catalogue catalogue, Kernel kernel, Chores chores, WalkState state) {
    this.catalogue = catalogue;
    this.kernel = kernel;
    this.chores = chores;
    this.state = state;
  }

  /** True when the walk can go on at once. */
  boolean perform(NodeDataplaneSpec spec, DataplaneInstance target) {
    List<Preflight.Finding> ofKubeProxy = state.ofKubeProxy;
    if (spec.kubeProxy == KubeProxyState.ATTACHED && ofKubeProxy == null) {
      return lookAtKubeProxy();
    }
    if (state.left == null) {
      return lookForLeftovers(target);
    }
    if (state.plan == null) {
      return count(spec, target);
    }
    List<Preflight.Finding> found = new ArrayList<>(target.dataplane().preflight().findings());
    found.addAll(ForwardingFindings.of(target.kind(), catalogue, NodeFacts.HERE));
    if (target.kind() != LinuxDataplane.BPF) {
      // Which says so itself.
      found.addAll(chores.foreignPins());
    }
    if (ofKubeProxy != null) {
      found.addAll(ofKubeProxy);
    }
    found.addAll(state.left);
    state.ofKubeProxy = null;
    state.kubeProxyMode = null;
    state.left = null;
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

  /** Counts what the walk would do; what cannot be counted is a matter of the findings. */
  private boolean count(NodeDataplaneSpec spec, DataplaneInstance target) {
    Map<LinuxDataplane, Dataplane> others = new EnumMap<>(LinuxDataplane.class);
    kernel.others().stream()
        .filter(other -> !kernel.isStandIn(other)) // its flows are those of what it stands for
        .forEach(other -> others.put(other.kind(), other.dataplane()));
    SwitchQuestion question =
        SwitchQuestion.of(target.kind(), spec, target.programmer().snapshot());
    var rules = state.kubeProxyRules;
    state.kubeProxyRules = null;
    AtomicReference<SwitchPlan> counted = new AtomicReference<>(new SwitchPlan());
    state.start(
        outcome -> chores.plan(question, target.dataplane(), others, rules, counted::set, outcome),
        failure -> {
          state.plan = counted.get();
          return true;
        });
    return false;
  }

  /** Finds out how the kube-proxy serves that the node is to be taken from. */
  private boolean lookAtKubeProxy() {
    KubeProxyCheck check = state.check(KubeProxyCheck.window(catalogue.portCount()));
    state.start(
        outcome -> chores.check(check, KubeProxyCheck.expected(catalogue), outcome),
        difference -> seen(check, difference));
    return false;
  }

  /** What a kube-proxy has left that Clean takes away, whether or not one is on the node. */
  private boolean lookForLeftovers(DataplaneInstance target) {
    KubeProxyMode running = state.kubeProxyMode;
    if (running != null) {
      state.start(
          outcome -> chores.leftovers(running, outcome),
          left -> foundLeft(left == null ? null : KubeProxyFindings.leftovers(running, left)));
      return false;
    }
    Set<LinuxDataplane> ours = EnumSet.of(target.kind());
    kernel.others().stream()
        .filter(other -> !kernel.isStandIn(other)) // its chains have names of their own
        .forEach(other -> ours.add(other.kind()));
    state.start(
        outcome -> chores.leftovers(ours, outcome),
        left -> foundLeft(left == null ? null : KubeProxyFindings.leftovers(left)));
    return false;
  }

  private boolean foundLeft(Preflight.@Nullable Finding finding) {
    state.left = finding == null ? List.of() : List.of(finding);
    return true;
  }

  private boolean seen(KubeProxyCheck check, @Nullable String difference) {
    KubeProxyVerdict verdict = check.verdict();
    if (verdict == null) {
      state.ofKubeProxy = KubeProxyFindings.unreadable(difference);
    } else if (verdict.mode().isEmpty() || check.lasts()) {
      state.ofKubeProxy = KubeProxyFindings.of(verdict);
    } else if (difference == null) {
      // What is there only now will go as what was there before has gone.
      Set<Difference> passing = verdict.failures();
      state.ofKubeProxy = KubeProxyFindings.of(verdict.keeping(each -> !passing.contains(each)));
    } else {
      return state.await(Step.PREFLIGHT, "ComparingKubeProxy", difference, check);
    }
    state.kubeProxyMode = verdict == null ? null : verdict.mode().orElse(null);
    state.kubeProxyRules = check.rules();
    state.check = null;
    return true;
  }
}
