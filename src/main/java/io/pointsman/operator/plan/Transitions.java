// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.Condition;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which changes of conditions are worth an Event: one for each turn to a telling value. */
public final class Transitions {
  /** The status of each type that is told; all but Ready are warnings. */
  private static final Map<String, String> TELLING =
      Map.of(
          "Accepted", "False", "Ready", "True", "Degraded", "True", "KubeProxyDetached", "False");

  /** Reasons that only describe the way there. */
  private static final List<String> QUIET = List.of("Attached", "NoNodes");

  private Transitions() {}

  /** The news between two lists of conditions. */
  public static List<Notice> between(List<Condition> old, List<Condition> next) {
    return next.stream()
        .filter(condition -> telling(condition) && changed(old, condition))
        .map(
            condition ->
                new Notice(!condition.type.equals("Ready"), condition.reason, condition.message))
        .toList();
  }

  private static boolean telling(Condition condition) {
    return condition.status.equals(TELLING.get(condition.type))
        && !QUIET.contains(condition.reason);
  }

  private static boolean changed(List<Condition> old, Condition condition) {
    Optional<Condition> before = Conditions.find(old, condition.type);
    return before.isEmpty()
        || !before.get().status.equals(condition.status)
        || !before.get().reason.equals(condition.reason);
  }
}
