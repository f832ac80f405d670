// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodePlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the status of a ProxyDataplane says, without times.
 *
 * @param current the dataplane of all nodes when they agree
 * @param plan what a dry run would do to each node; empty when there is none
 */
public record Report(
    List<Verdict> verdicts,
    Counts counts,
    @Nullable LinuxDataplane current,
    String message,
    List<NodePlan> plan) {
  /** Takes copies. */
  public Report {
    verdicts = List.copyOf(verdicts);
    plan = List.copyOf(plan);
  }

  /** How many nodes are where, as in the status. */
  public record Counts(int desired, int converged, int switching, int rolledBack, int failed) {}

  /** A condition without times. */
  public record Verdict(String type, Truth truth, String reason, String message) {}

  /** The three values of a condition. */
  public enum Truth {
    TRUE("True"),
    FALSE("False"),
    UNKNOWN("Unknown");

    private final String text;

    Truth(String text) {
      this.text = text;
    }

    /** As it stands in the status. */
    public String text() {
      return text;
    }

    /** The truth value of a Java boolean. */
    public static Truth of(boolean value) {
      return value ? TRUE : FALSE;
    }
  }
}
