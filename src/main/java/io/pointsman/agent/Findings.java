// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.catalogue.Problem;
import io.pointsman.dataplane.Preflight;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The preflight of a dataplane and what the catalogue uses that it lacks, as the status has it. */
final class Findings {
  /** The resource takes no more. */
  private static final int LIMIT = 64;

  private Findings() {}

  static List<PreflightFinding> of(Preflight preflight, List<Problem> problems) {
    List<PreflightFinding> findings = new ArrayList<>();
    for (Preflight.Finding finding : preflight.findings()) {
      findings.add(
          finding(
              severity(finding.severity()), finding.reason(), finding.message(), finding.remedy()));
    }
    findings.addAll(limitations(problems));
    return findings.size() > LIMIT ? findings.subList(0, LIMIT) : findings;
  }

  /** One finding for each thing that is not honoured, however many Services ask for it. */
  private static List<PreflightFinding> limitations(List<Problem> problems) {
    Map<String, List<Problem>> byReason = new TreeMap<>();
    for (Problem problem : problems) {
      if (problem.effect() == Problem.Effect.SERVED_WITHOUT) {
        byReason.computeIfAbsent(problem.reason(), reason -> new ArrayList<>()).add(problem);
      }
    }
    List<PreflightFinding> findings = new ArrayList<>();
    byReason.forEach(
        (reason, all) -> {
          Problem first = all.getFirst();
          String more = all.size() == 1 ? "" : " (and " + (all.size() - 1) + " more)";
          findings.add(
              finding(
                  Severity.WARNING,
                  reason,
                  first.object() + more + ": " + first.message(),
                  first.remedy()));
        });
    return findings;
  }

  static PreflightFinding firstBlocking(List<PreflightFinding> findings) {
    return findings.stream()
        .filter(finding -> finding.severity == Severity.BLOCKING)
        .findFirst()
        .orElseThrow();
  }

  private static Severity severity(Preflight.Severity severity) {
    return switch (severity) {
      case INFO -> Severity.INFO;
      case WARNING -> Severity.WARNING;
      case BLOCKING -> Severity.BLOCKING;
    };
  }

  private static PreflightFinding finding(
      Severity severity, String reason, String message, String remedy) {
    PreflightFinding finding = new PreflightFinding();
    finding.severity = severity;
    finding.reason = reason;
    finding.message = message;
    finding.remedy = remedy;
    return finding;
  }
}
