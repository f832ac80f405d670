// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import java.util.List;

/** What stands in the way of a dataplane on this node, and what does not but should be known. */
public record Preflight(List<Finding> findings) {
  /** Takes a copy. */
  public Preflight {
    findings = List.copyOf(findings);
  }

  /** Whether nothing stands in the way. */
  public boolean passed() {
    return findings.stream().noneMatch(finding -> finding.severity() == Severity.BLOCKING);
  }

  /**
   * One finding.
   *
   * @param reason stable, CamelCase, for machines
   * @param message what was found, naming the object
   * @param remedy what a person can do
   */
  public record Finding(Severity severity, String reason, String message, String remedy) {}

  /** How much a finding matters. */
  public enum Severity {
    INFO,
    WARNING,
    BLOCKING
  }
}
