// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxy;
import io.pointsman.api.LinuxDataplane;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** The status in words. Nothing in here may change from second to second, or every look writes. */
final class Sentences {
  private final Survey survey;
  private final Report.Counts counts;

  Sentences(Survey survey, Report.Counts counts) {
    this.survey = survey;
    this.counts = counts;
  }

  String converged() {
    return counts.converged()
        + " of "
        + Words.nodes(counts.desired())
        + (counts.desired() == 1 ? " serves" : " serve")
        + " Services by "
        + dataplane()
        + ".";
  }

  String skipped() {
    List<Move> skipped =
        survey.at(
            move ->
                move.standing() == Standing.SKIPPED
                    || (move.standing() == Standing.CONVERGED && !move.note().isEmpty()));
    if (skipped.isEmpty()) {
      return "";
    }
    return " Not now: " + each(skipped) + ".";
  }

  /** The nodes that a pause or a dry run does not hold where they are. */
  String between() {
    List<Move> between = survey.at(survey::between);
    if (between.isEmpty()) {
      return "";
    }
    return " Not held before a dataplane follows the Services there: " + each(between) + ".";
  }

  String switching() {
    List<Move> moving =
        survey.at(
            move ->
                move.standing() == Standing.SWITCHING
                    || move.standing() == Standing.RETURNING
                    || move.standing() == Standing.DRAINING);
    Instant until = survey.soakingUntil();
    if (!moving.isEmpty()) {
      return "Switching " + each(moving) + "; " + converged();
    }
    if (until != null) {
      return "Watching the canary nodes until "
          + until.truncatedTo(ChronoUnit.SECONDS)
          + "; "
          + converged();
    }
    if (survey.canaryAway()) {
      return "Waiting until the canary nodes are Ready and have been watched; " + converged();
    }
    List<String> looking = new LookAhead(survey).open().stream().map(Move::node).toList();
    return looking.isEmpty()
        ? converged()
        : "Looking at " + Words.list(looking) + " before the first node begins; " + converged();
  }

  String walkingBack() {
    List<Move> left = survey.at(move -> move.standing() != Standing.LEFT);
    if (left.isEmpty()) {
      return "Every node is back on kube-proxy.";
    }
    String missing = survey.daemonSetMissing() ? " " + daemonSetMissing() : "";
    return "Going back to kube-proxy, "
        + Words.nodes(left.size())
        + " to go: "
        + each(left)
        + "."
        + missing;
  }

  String failures() {
    List<Move> failures = survey.failures();
    boolean back = failures.stream().allMatch(move -> move.standing() == Standing.ROLLED_BACK);
    return "Stopped: "
        + each(failures)
        + (back ? ". Back on " + origins(failures) : "")
        + remedy(failures)
        + converged()
        + skipped();
  }

  private String remedy(List<Move> failures) {
    return failures.stream().anyMatch(survey::failed)
        ? ". Remove the cause, then edit the spec or take the annotation "
            + Names.FAILED_GENERATION
            + " off the NodeDataplane to try again; "
        : ". Remove the cause, and it goes on; ";
  }

  /** What the nodes are back on, each name once. */
  private String origins(List<Move> rolledBack) {
    return rolledBack.stream()
        .map(move -> NodePlans.serving(survey.view().nodeDataplanes().get(move.node())))
        .map(serving -> serving.map(Words::of).orElse("kube-proxy"))
        .distinct()
        .collect(Collectors.joining(" and "));
  }

  String dryRun() {
    List<Move> told = survey.at(move -> !move.note().isEmpty() && !survey.between(move));
    return "Dry run, nothing changes: status.plan says what would be done; "
        + converged()
        + (told.isEmpty() ? "" : " Of note: " + each(told) + ".")
        + between();
  }

  String daemonSetMissing() {
    KubeProxy kubeProxy = survey.dataplane().getSpec().kubeProxy;
    return "There is no DaemonSet "
        + DaemonSetRef.of(kubeProxy)
        + " that the operator may read. Name kube-proxy's DaemonSet in spec.kubeProxy and in the"
        + " chart's value kubeProxy, or set spec.kubeProxy.management to Unmanaged if the cluster"
        + " has none.";
  }

  String selectorRemoved() {
    KubeProxy kubeProxy = survey.dataplane().getSpec().kubeProxy;
    String by =
        survey
            .view()
            .kubeProxyOf(survey.dataplane())
            .map(KubeProxyView::selectorRemover)
            .map(manager -> "Field manager " + manager)
            .orElse("Somebody");
    return by
        + " has taken the nodeSelector "
        + Names.KUBE_PROXY_LABEL
        + " out of DaemonSet "
        + DaemonSetRef.of(kubeProxy)
        + ", so kube-proxy comes back beside "
        + dataplane()
        + ". It is put in again; let that tool ignore spec.template.spec.nodeSelector.";
  }

  private String dataplane() {
    return Words.of(
        Objects.requireNonNullElse(
            survey.dataplane().getSpec().linuxDataplane, LinuxDataplane.BPF));
  }

  private static String each(List<Move> moves) {
    return Words.list(
        moves.stream()
            .map(move -> move.note().isEmpty() ? move.node() : move.node() + " " + move.note())
            .toList());
  }
}
