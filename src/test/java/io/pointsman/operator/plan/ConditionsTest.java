// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Condition;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditionsTest {
  private static final Instant THEN = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant NOW = Instant.parse("2026-01-01T01:00:00.5Z");

  @Test
  void timeMovesOnlyWithTheStatus() {
    List<Condition> old = Conditions.reduce(List.of(), verdicts(false, "Switching"), 1, THEN);

    Condition reworded = Conditions.reduce(old, verdicts(false, "Paused"), 2, NOW).getFirst();
    assertThat(reworded.reason).isEqualTo("Paused");
    assertThat(reworded.observedGeneration).isEqualTo(2);
    assertThat(reworded.lastTransitionTime).isEqualTo("2026-01-01T00:00:00Z");
    Condition turned = Conditions.reduce(old, verdicts(true, "Converged"), 1, NOW).getFirst();
    assertThat(turned.lastTransitionTime).isEqualTo("2026-01-01T01:00:00Z");
  }

  @Test
  void theSameVerdictsAreTheSameConditions() {
    List<Condition> old = Conditions.reduce(List.of(), verdicts(false, "Switching"), 1, THEN);

    assertThat(Conditions.same(old, Conditions.reduce(old, verdicts(false, "Switching"), 1, NOW)))
        .isTrue();
    assertThat(Conditions.same(old, Conditions.reduce(old, verdicts(false, "Paused"), 1, NOW)))
        .isFalse();
  }

  @Test
  void eachTurnIsToldOnce() {
    List<Condition> old = Conditions.reduce(List.of(), verdicts(false, "Switching"), 1, THEN);
    List<Condition> ready = Conditions.reduce(old, verdicts(true, "Converged"), 1, NOW);

    assertThat(Transitions.between(List.of(), old)).isEmpty();
    assertThat(Transitions.between(old, ready))
        .containsExactly(Notice.normal("Converged", "Converged it is."));
    assertThat(Transitions.between(ready, ready)).isEmpty();
  }

  private static List<Report.Verdict> verdicts(boolean ready, String reason) {
    return List.of(new Report.Verdict("Ready", Report.Truth.of(ready), reason, reason + " it is."));
  }
}
