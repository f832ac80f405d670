// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static io.pointsman.operator.plan.Report.Truth.FALSE;
import static io.pointsman.operator.plan.Report.Truth.TRUE;
import static io.pointsman.operator.plan.Report.Truth.UNKNOWN;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.operator.plan.Report.Truth;
import io.pointsman.operator.plan.Report.Verdict;
import java.util.ArrayList;
import java.util.List;

/** Says where a rollout stands, for machines and for people. */
final class Reporter {
  private final Survey survey;
  private final Report.Counts counts;
  private final Sentences sentences;
  private final State state;

  /** The one thing that matters most; its name is the reason of most conditions. */
  private enum State {
    NOT_ACCEPTED("NotAccepted"),
    WALKING_BACK("WalkingBack"),
    DAEMON_SET_MISSING("DaemonSetMissing"),
    ROLLOUT_STOPPED("RolloutStopped"),
    DRY_RUN("DryRun"),
    PAUSED("Paused"),
    SWITCHING("Switching"),
    NO_NODES("NoNodes"),
    NODES_NOT_READY("NodesNotReady"),
    CONVERGED("Converged");

    private final String reason;

    State(String reason) {
      this.reason = reason;
    }
  }

  private Reporter(Survey survey) {
    this.survey = survey;
    this.counts =
        new Report.Counts(
            survey.desired(),
            survey.count(Standing.CONVERGED),
            survey.count(Standing.SWITCHING, Standing.RETURNING, Standing.DRAINING),
            survey.count(Standing.ROLLED_BACK),
            survey.count(Standing.FAILED));
    this.sentences = new Sentences(survey, counts);
    this.state = state();
  }

  static Report report(Survey survey) {
    Reporter reporter = new Reporter(survey);
    boolean all = reporter.counts.converged() == reporter.counts.desired();
    return new Report(
        reporter.verdicts(),
        reporter.counts,
        all && reporter.counts.desired() > 0 ? survey.dataplane().getSpec().linuxDataplane : null,
        reporter.message(),
        survey.dryRun() && survey.refusal() == null ? NodePlans.of(survey) : List.of());
  }

  private State state() {
    if (survey.deleting()) {
      return State.WALKING_BACK;
    }
    if (survey.refusal() != null) {
      return State.NOT_ACCEPTED;
    }
    boolean open =
        survey.count(Standing.WAITING, Standing.SWITCHING, Standing.RETURNING, Standing.DRAINING)
            > 0;
    if (!survey.failures().isEmpty()) {
      return State.ROLLOUT_STOPPED;
    }
    if (survey.daemonSetMissing() && open) {
      return State.DAEMON_SET_MISSING;
    }
    if (open) {
      return survey.dryRun() ? State.DRY_RUN : survey.paused() ? State.PAUSED : State.SWITCHING;
    }
    if (counts.desired() == 0) {
      return State.NO_NODES;
    }
    return counts.converged() > 0 ? State.CONVERGED : State.NODES_NOT_READY;
  }

  private List<Verdict> verdicts() {
    String message = message();
    boolean progressing = state == State.SWITCHING || state == State.WALKING_BACK;
    boolean stalled =
        switch (state) {
          case NOT_ACCEPTED, DAEMON_SET_MISSING, ROLLOUT_STOPPED -> true;
          case WALKING_BACK -> !survey.failures().isEmpty() || survey.daemonSetMissing();
          case DRY_RUN, PAUSED, SWITCHING, NO_NODES, NODES_NOT_READY, CONVERGED -> false;
        };
    List<Verdict> verdicts = new ArrayList<>();
    verdicts.add(accepted());
    verdicts.add(new Verdict("Ready", Truth.of(state == State.CONVERGED), state.reason, message));
    verdicts.add(available());
    verdicts.add(new Verdict("Progressing", Truth.of(progressing), state.reason, message));
    verdicts.add(degraded());
    verdicts.add(kubeProxyDetached());
    boolean converged = counts.desired() > 0 && counts.converged() == counts.desired();
    verdicts.add(
        new Verdict(
            "Converged",
            Truth.of(converged),
            converged ? "AllNodes" : state == State.CONVERGED ? "NodesNotReady" : state.reason,
            sentences.converged()));
    verdicts.add(
        new Verdict("Reconciling", Truth.of(progressing && !stalled), state.reason, message));
    verdicts.add(new Verdict("Stalled", Truth.of(stalled), state.reason, message));
    return verdicts;
  }

  private Verdict accepted() {
    Refusal refusal = survey.refusal();
    return refusal == null
        ? new Verdict("Accepted", TRUE, "Accepted", "The resource is acted on.")
        : new Verdict("Accepted", FALSE, refusal.reason(), refusal.message());
  }

  /** A failed node that kube-proxy has left may not follow changes of Services any more. */
  private Verdict available() {
    List<String> lost =
        survey.at(move -> move.standing() == Standing.FAILED && detached(move)).stream()
            .map(Move::node)
            .toList();
    return lost.isEmpty()
        ? new Verdict(
            "Available", TRUE, "Serving", "Services are served on every node that is Ready.")
        : new Verdict(
            "Available",
            FALSE,
            "NodesFailed",
            "Services may not be served as they should on " + Words.list(lost) + ".");
  }

  private boolean detached(Move move) {
    NodeDataplane ruled = survey.view().nodeDataplanes().get(move.node());
    return ruled != null && ruled.getSpec().kubeProxy != KubeProxyState.ATTACHED;
  }

  private Verdict degraded() {
    return survey.failures().isEmpty()
        ? new Verdict("Degraded", FALSE, "AsExpected", "No node has failed.")
        : new Verdict("Degraded", TRUE, "NodesFailed", sentences.failures());
  }

  private Verdict kubeProxyDetached() {
    String type = "KubeProxyDetached";
    if (!survey.managed()) {
      return new Verdict(type, UNKNOWN, "Unmanaged", "Pointsman does not look after kube-proxy.");
    }
    if (survey.daemonSetMissing()) {
      return new Verdict(type, FALSE, "DaemonSetMissing", sentences.daemonSetMissing());
    }
    if (survey.selectorStolen()) {
      return new Verdict(type, FALSE, "SelectorRemoved", sentences.selectorRemoved());
    }
    boolean all = counts.desired() > 0 && survey.onKubeProxy() == 0;
    return new Verdict(
        type,
        Truth.of(all),
        all ? "Detached" : "Attached",
        all ? "kube-proxy runs on none of the nodes." : "kube-proxy still runs on some nodes.");
  }

  private String message() {
    return switch (state) {
      case NOT_ACCEPTED -> accepted().message();
      case WALKING_BACK -> sentences.walkingBack();
      case DAEMON_SET_MISSING -> sentences.daemonSetMissing();
      case ROLLOUT_STOPPED -> sentences.failures();
      case DRY_RUN -> sentences.dryRun();
      case PAUSED -> "Paused: " + sentences.converged() + sentences.between() + sentences.skipped();
      case SWITCHING -> sentences.switching() + sentences.skipped();
      case NO_NODES -> "spec.nodeSelector selects no Linux node.";
      case NODES_NOT_READY, CONVERGED -> sentences.converged() + sentences.skipped();
    };
  }
}
