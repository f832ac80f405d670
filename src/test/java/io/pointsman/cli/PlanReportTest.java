// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.FlowCounts;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.NodePlan;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.api.SwitchPlan;
import io.pointsman.cli.PlanReport.NodeReport;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlanReportTest {
  private static final NodeReport READY = NodeReport.answered(plan("node-1"), answer());
  private static final NodeReport BLOCKED =
      NodeReport.answered(plan("node-2"), answer(finding(Severity.BLOCKING, "KernelTooOld")));
  private static final NodeReport LOST = NodeReport.notLookedAt(plan("node-3"), "it is not Ready");
  private static final NodeReport DONE = NodeReport.unasked(arrived("node-4"));

  private static NodePlan plan(String name) {
    NodePlan plan = new NodePlan();
    plan.name = name;
    plan.from = "kube-proxy";
    plan.to = "BPF";
    plan.steps = List.of("Preflight", "Prepare", "Activate", "Detach", "Clean");
    return plan;
  }

  private static NodePlan arrived(String name) {
    NodePlan plan = plan(name);
    plan.from = "BPF";
    plan.steps = List.of();
    return plan;
  }

  private static NodeDataplaneStatus answer(PreflightFinding... findings) {
    NodeDataplaneStatus status = new NodeDataplaneStatus();
    status.preflight = List.of(findings);
    SwitchPlan counted = new SwitchPlan();
    counted.entriesToWrite = 120L;
    counted.entriesToRemove = 340L;
    counted.memoryBytes = 112L * 1024 * 1024 - 5;
    counted.flowsAtRisk = new FlowCounts();
    counted.flowsAtRisk.conntrack = 4L;
    counted.flowsAtRisk.ct = 0L;
    counted.flowsAtRisk.ipvs = 3L;
    counted.steps = List.of("Write 120 entries for 9 Service ports.");
    status.plan = counted;
    return status;
  }

  private static PreflightFinding finding(Severity severity, String reason) {
    PreflightFinding finding = new PreflightFinding();
    finding.severity = severity;
    finding.reason = reason;
    finding.message = "The kernel is 4.19.";
    finding.remedy = "Boot a newer one.";
    return finding;
  }

  private static int exit(boolean detailed, NodeReport... nodes) {
    return report(nodes).exitCode(detailed);
  }

  private static PlanReport report(NodeReport... nodes) {
    return new PlanReport("default", Optional.empty(), List.of(nodes));
  }

  @Test
  void theExitCodeSaysTheWorstThatIsSure() {
    assertThat(exit(false)).isZero();
    assertThat(exit(false, READY, DONE)).isZero();
    assertThat(exit(false, READY, LOST)).isEqualTo(3);
    assertThat(exit(false, READY, LOST, BLOCKED)).isEqualTo(1);
  }

  @Test
  void changesCountWhenThatIsAskedFor() {
    assertThat(exit(true, DONE)).isZero();
    assertThat(exit(true, DONE, READY)).isEqualTo(4);
    assertThat(exit(true, DONE, READY, LOST)).isEqualTo(3);
    assertThat(exit(true, READY, BLOCKED)).isEqualTo(1);
  }

  @Test
  void theTableHasNodesAndWhatWasFound() {
    StringWriter text = new StringWriter();
    report(READY, BLOCKED, LOST, DONE).printTable(new PrintWriter(text));
    assertThat(text.toString().lines())
        .containsExactly(
            "NODE     FROM         TO    WRITE   REMOVE   MEMORY    FLOWS   STEPS"
                + "                                     VERDICT",
            "node-1   kube-proxy   BPF   120     340      112 MiB   7"
                + "       Preflight,Prepare,Activate,Detach,Clean   can be done",
            "node-2   kube-proxy   BPF   120     340      112 MiB   7"
                + "       Preflight,Prepare,Activate,Detach,Clean   would be stopped",
            "node-3   kube-proxy   BPF   -       -        -         -"
                + "       Preflight,Prepare,Activate,Detach,Clean   not looked at: it is not Ready",
            "node-4   BPF          BPF   -       -        -         -       -"
                + "                                         nothing to do",
            "",
            "NODE     SEVERITY   REASON         FINDING",
            "node-2   blocking   KernelTooOld   The kernel is 4.19. Boot a newer one.");
  }

  @Test
  void whatWasNotCountedIsNoNumber() {
    NodeDataplaneStatus empty = new NodeDataplaneStatus();
    empty.plan = new SwitchPlan();
    StringWriter text = new StringWriter();
    report(NodeReport.answered(plan("node-1"), empty)).printTable(new PrintWriter(text));
    assertThat(text.toString()).containsPattern("BPF +\\? +\\? +\\? +\\? +Preflight");
  }

  /** A node that goes back is not looked at, and nothing says that it was. */
  @Test
  void aNodeThatGoesBackIsNotSaidToHaveBeenLookedAt() {
    NodePlan back = plan("node-5");
    back.from = "BPF";
    back.to = "kube-proxy";
    back.steps = List.of("Attach", "Drain", "Remove");
    NodeReport leaving = NodeReport.unasked(back);
    StringWriter text = new StringWriter();
    report(leaving).printTable(new PrintWriter(text));
    assertThat(text.toString()).contains("goes back, nothing to look at");
    assertThat(report(leaving).json()).contains("\"verdict\" : \"GoesBack\"");
    assertThat(exit(false, leaving, READY)).isZero();
    assertThat(exit(true, leaving, DONE)).isEqualTo(4);
  }

  @Test
  void whatKeepsAllNodesFromBeginningIsInTheAnswer() {
    PlanReport report =
        new PlanReport("default", Optional.of("there is no DaemonSet"), List.of(READY));
    assertThat(report.exitCode(true)).isEqualTo(1);
    assertThat(report.json())
        .contains("\"feasible\" : false")
        .contains("\"message\" : \"there is no DaemonSet\"");
  }

  @Test
  void jsonAndYamlSayTheSame() {
    PlanReport report = report(BLOCKED);
    assertThat(report.json())
        .contains("\"feasible\" : false")
        .contains("\"changes\" : true")
        .contains("\"verdict\" : \"Blocked\"")
        .contains("\"reason\" : \"KernelTooOld\"")
        .contains("\"severity\" : \"Blocking\"")
        .contains("\"entriesToWrite\" : 120")
        .contains("\"ipvs\" : 3")
        .contains("Write 120 entries for 9 Service ports.");
    assertThat(report.yaml())
        .contains("feasible: false")
        .contains("verdict: \"Blocked\"")
        .contains("entriesToWrite: 120");
  }
}
