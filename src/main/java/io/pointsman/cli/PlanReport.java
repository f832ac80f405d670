// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.api.FlowCounts;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.NodePlan;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.api.SwitchPlan;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What would be done to all nodes, in the forms that people and programs want. */
final class PlanReport implements Report {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final long MIB = 1 << 20;
  private static final String NONE = "-";

  private final String name;
  private final Optional<String> obstacle;
  private final List<NodeReport> nodes;

  /**
   * Of a ProxyDataplane.
   *
   * @param obstacle why no node would be begun, however good they are; empty when that is not so
   */
  PlanReport(String name, Optional<String> obstacle, List<NodeReport> nodes) {
    this.name = name;
    this.obstacle = obstacle;
    this.nodes = List.copyOf(nodes);
  }

  /** What has come out for a node. */
  enum Outcome {
    UNCHANGED("nothing to do"),
    READY("can be done"),
    UNASKED("goes back, nothing to look at"),
    BLOCKED("would be stopped"),
    NOT_LOOKED_AT("not looked at");

    private final String words;

    Outcome(String words) {
      this.words = words;
    }
  }

  /**
   * One node.
   *
   * @param answer what its kernel has told; null where nobody had to look, or could
   * @param message why it was not looked at, else empty
   */
  record NodeReport(
      NodePlan plan, Outcome outcome, @Nullable NodeDataplaneStatus answer, String message) {
    static NodeReport unasked(NodePlan plan) {
      return new NodeReport(
          plan, plan.steps.isEmpty() ? Outcome.UNCHANGED : Outcome.UNASKED, null, "");
    }

    static NodeReport answered(NodePlan plan, NodeDataplaneStatus answer) {
      boolean blocked =
          answer.preflight.stream().anyMatch(finding -> finding.severity == Severity.BLOCKING);
      return new NodeReport(plan, blocked ? Outcome.BLOCKED : Outcome.READY, answer, "");
    }

    static NodeReport notLookedAt(NodePlan plan, String why) {
      return new NodeReport(plan, Outcome.NOT_LOOKED_AT, null, why);
    }

    private @Nullable SwitchPlan counted() {
      return answer == null ? null : answer.plan;
    }

    private List<PreflightFinding> findings() {
      return answer == null ? List.of() : answer.preflight;
    }
  }

  /** The worst that is sure; changes count only when that was asked for. */
  int exitCode(boolean detailed) {
    if (obstacle.isPresent() || has(Outcome.BLOCKED)) {
      return Failures.FAILED;
    }
    if (has(Outcome.NOT_LOOKED_AT)) {
      return Failures.NOT_LOOKED_AT;
    }
    boolean changes = has(Outcome.READY) || has(Outcome.UNASKED);
    return detailed && changes ? PlanCommand.CHANGES : 0;
  }

  private boolean has(Outcome outcome) {
    return nodes.stream().anyMatch(each -> each.outcome() == outcome);
  }

  @Override
  public void printTable(PrintWriter out) {
    TextTable table =
        new TextTable(
            "NODE", "FROM", "TO", "WRITE", "REMOVE", "MEMORY", "FLOWS", "STEPS", "VERDICT");
    for (NodeReport each : nodes) {
      SwitchPlan counted = each.counted();
      table.row(
          each.plan().name,
          each.plan().from,
          each.plan().to,
          counted == null ? NONE : number(counted.entriesToWrite),
          counted == null ? NONE : number(counted.entriesToRemove),
          counted == null ? NONE : memory(counted.memoryBytes),
          counted == null ? NONE : flows(counted.flowsAtRisk),
          each.plan().steps.isEmpty() ? NONE : String.join(",", each.plan().steps),
          each.outcome().words + (each.message().isEmpty() ? "" : ": " + each.message()));
    }
    table.print(out);
    TextTable findings = new TextTable("NODE", "SEVERITY", "REASON", "FINDING");
    for (NodeReport each : nodes) {
      for (PreflightFinding finding : each.findings()) {
        if (finding.severity != Severity.INFO) {
          findings.row(
              each.plan().name,
              word(finding),
              finding.reason,
              (finding.message + " " + finding.remedy).strip());
        }
      }
    }
    printBelow(findings, out);
    TextTable refused = new TextTable("NODE", "NOT SERVED");
    for (NodeReport each : nodes) {
      if (each.answer() != null) {
        each.answer().refused.forEach(sentence -> refused.row(each.plan().name, sentence));
      }
    }
    printBelow(refused, out);
  }

  private static void printBelow(TextTable table, PrintWriter out) {
    if (!table.isEmpty()) {
      out.println();
      table.print(out);
    }
  }

  private static String word(PreflightFinding finding) {
    return String.valueOf(finding.severity).toLowerCase(Locale.ROOT);
  }

  private static String number(@Nullable Long number) {
    return number == null ? "?" : number.toString();
  }

  private static String memory(@Nullable Long bytes) {
    return bytes == null ? "?" : (bytes + MIB - 1) / MIB + " MiB";
  }

  private static String flows(@Nullable FlowCounts flows) {
    if (flows == null || flows.conntrack == null || flows.ct == null || flows.ipvs == null) {
      return "?";
    }
    return Long.toString(flows.conntrack + flows.ct + flows.ipvs);
  }

  @Override
  public Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("dataplane", name);
    tree.put("feasible", exitCode(false) == 0);
    obstacle.ifPresent(why -> tree.put("message", why));
    tree.put("changes", nodes.stream().anyMatch(each -> !each.plan().steps.isEmpty()));
    List<Object> all = new ArrayList<>();
    nodes.forEach(each -> all.add(tree(each)));
    tree.put("nodes", all);
    return tree;
  }

  private static Map<String, Object> tree(NodeReport node) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("node", node.plan().name);
    tree.put("from", node.plan().from);
    tree.put("to", node.plan().to);
    tree.put("verdict", camel(node.outcome()));
    if (!node.message().isEmpty()) {
      tree.put("message", node.message());
    }
    tree.put("steps", node.plan().steps);
    if (node.answer() != null) {
      tree.put("findings", MAPPER.convertValue(node.findings(), List.class));
      tree.put("refused", node.answer().refused);
    }
    if (node.counted() != null) {
      tree.put("counted", MAPPER.convertValue(node.counted(), Map.class));
    }
    return tree;
  }

  private static String camel(Outcome outcome) {
    return switch (outcome) {
      case UNCHANGED -> "Unchanged";
      case READY -> "CanBeDone";
      case UNASKED -> "GoesBack";
      case BLOCKED -> "Blocked";
      case NOT_LOOKED_AT -> "NotLookedAt";
    };
  }
}
