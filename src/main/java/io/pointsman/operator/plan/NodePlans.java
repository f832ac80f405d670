// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.NodePlan;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a dry run shows: what would be done to each node, from where it is. */
final class NodePlans {
  /** As many as fit into an object of the API server with room to spare. */
  private static final int MOST = 200;

  /** Of a message; with as many nodes as are listed that is 200 KiB. */
  private static final int LONGEST_MESSAGE = 1024;

  private static final String KUBE_PROXY = "kube-proxy";
  private static final String DETACH = "Detach";

  private final Survey survey;

  private NodePlans(Survey survey) {
    this.survey = survey;
  }

  static List<NodePlan> of(Survey survey) {
    return all(survey).stream().limit(MOST).toList();
  }

  /** The same for however many nodes there are. */
  static List<NodePlan> all(Survey survey) {
    NodePlans plans = new NodePlans(survey);
    return survey.moves().stream()
        .filter(move -> move.standing() != Standing.LEFT)
        .map(plans::plan)
        .sorted(
            Comparator.comparing((NodePlan plan) -> plan.blocking == null || plan.blocking == 0)
                .thenComparing(plan -> plan.name))
        .toList();
  }

  /** Which own dataplane serves on a node; empty for kube-proxy. */
  static Optional<LinuxDataplane> serving(@Nullable NodeDataplane ruled) {
    Step step = ruled == null ? null : ruled.getSpec().step;
    if (ruled == null || step == null) {
      return Optional.empty();
    }
    return switch (step) {
      case PREFLIGHT, PREPARE -> origin(ruled).map(Origin::dataplane);
      case ACTIVATE, CLEAN -> Optional.ofNullable(ruled.getSpec().linuxDataplane);
      case DRAIN, REMOVE -> Optional.empty();
    };
  }

  private NodePlan plan(Move move) {
    NodeDataplane ruled = survey.view().nodeDataplanes().get(move.node());
    NodeView node = survey.view().nodes().get(move.node());
    boolean selected =
        node != null && node.selectedBy(survey.dataplane().getSpec().nodeSelector) && node.linux();
    String bare = survey.managed() ? KUBE_PROXY : "none";
    NodePlan plan = new NodePlan();
    plan.name = move.node();
    plan.from = serving(ruled).map(Words::of).orElse(bare);
    plan.to = selected ? Words.of(wanted()) : bare;
    plan.steps = selected ? steps(ruled) : back(ruled);
    plan.message = move.note().isEmpty() ? null : shortened(move.note());
    if (ruled != null && selected) {
      answer(plan, ruled);
    }
    return plan;
  }

  private LinuxDataplane wanted() {
    return Objects.requireNonNullElse(
        survey.dataplane().getSpec().linuxDataplane, LinuxDataplane.BPF);
  }

  private List<String> steps(@Nullable NodeDataplane ruled) {
    NodeDataplaneSpec spec = ruled == null ? null : ruled.getSpec();
    if (spec == null || spec.step == null || spec.step.compareTo(Step.CLEAN) > 0) {
      return steps(Step.PREFLIGHT, survey.managed());
    }
    boolean attached = survey.managed() && spec.kubeProxy != KubeProxyState.DETACHED;
    if (spec.linuxDataplane != wanted()) {
      return steps(Step.PREFLIGHT, attached);
    }
    boolean arrived =
        spec.step == Step.CLEAN
            && ruled != null
            && Target.matches(spec, survey.dataplane(), survey.view().probe());
    return arrived ? List.of() : steps(spec.step, attached);
  }

  /** From a step to the end, with Detach where it has its place if kube-proxy is there. */
  private List<String> steps(Step first, boolean attached) {
    DetachOrder order = DetachOrder.of(wanted());
    List<String> steps = new ArrayList<>();
    for (Step step : List.of(Step.PREFLIGHT, Step.PREPARE, Step.ACTIVATE, Step.CLEAN)) {
      if (step.compareTo(first) >= 0) {
        steps.add(Words.of(step));
      }
      if (attached && step == order.after()) {
        steps.add(DETACH);
      }
    }
    return steps;
  }

  private List<String> back(@Nullable NodeDataplane ruled) {
    Stream<String> drain = Stream.of(Words.of(Step.DRAIN), Words.of(Step.REMOVE));
    return ruled != null && Handover.away(ruled)
        ? Stream.concat(Stream.of("Attach"), drain).toList()
        : drain.toList();
  }

  /** What the agent has said to the spec as it is now, when that is what the plan is about. */
  private void answer(NodePlan plan, NodeDataplane ruled) {
    if (!Target.matches(ruled.getSpec(), survey.dataplane(), survey.view().probe())) {
      return; // other settings in place are not tried beforehand
    }
    NodeDataplaneStatus status = survey.state(plan.name).flatMap(NodeState::answer).orElse(null);
    if (status == null || status.result == StepResult.IN_PROGRESS) {
      return;
    }
    List<PreflightFinding> blocking =
        status.preflight.stream().filter(finding -> finding.severity == Severity.BLOCKING).toList();
    plan.answered = true;
    plan.findings = status.preflight.size();
    plan.blocking = blocking.size();
    plan.counted = status.plan;
    if (!blocking.isEmpty()) {
      PreflightFinding first = blocking.getFirst();
      plan.message = shortened(first.reason + ": " + first.message);
    }
  }

  private static String shortened(String message) {
    return message.substring(0, Math.min(message.length(), LONGEST_MESSAGE));
  }

  private static Optional<Origin> origin(NodeDataplane ruled) {
    var annotations = ruled.getMetadata().getAnnotations();
    return annotations == null ? Optional.empty() : Origin.parse(annotations.get(Names.ORIGIN));
  }
}
