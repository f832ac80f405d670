// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.Condition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Turns verdicts into conditions; a condition whose status stays keeps its transition time. */
public final class Conditions {
  private Conditions() {}

  /** The conditions that follow from the old ones and the verdicts, in the verdicts' order. */
  public static List<Condition> reduce(
      List<Condition> old, List<Report.Verdict> verdicts, long generation, Instant now) {
    List<Condition> reduced = new ArrayList<>();
    for (Report.Verdict verdict : verdicts) {
      Condition condition = new Condition();
      condition.type = verdict.type();
      condition.status = verdict.truth().text();
      condition.reason = verdict.reason();
      condition.message = verdict.message();
      condition.observedGeneration = generation;
      condition.lastTransitionTime =
          find(old, verdict.type())
              .filter(before -> before.status.equals(condition.status))
              .map(before -> before.lastTransitionTime)
              .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
      reduced.add(condition);
    }
    return List.copyOf(reduced);
  }

  /** Whether both say the same at the same times. */
  public static boolean same(List<Condition> one, List<Condition> other) {
    return one.size() == other.size()
        && one.stream()
            .allMatch(
                condition ->
                    find(other, condition.type).filter(peer -> same(condition, peer)).isPresent());
  }

  /** The condition of a type. */
  public static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(condition -> condition.type.equals(type)).findFirst();
  }

  private static boolean same(Condition one, Condition other) {
    return one.status.equals(other.status)
        && one.reason.equals(other.reason)
        && one.message.equals(other.message)
        && one.lastTransitionTime.equals(other.lastTransitionTime)
        && Objects.equals(one.observedGeneration, other.observedGeneration);
  }
}
