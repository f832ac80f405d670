// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.operator.plan.DaemonSetRef;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelectorBackoffTest {
  private static final DaemonSetRef REF = new DaemonSetRef("kube-system", "kube-proxy");
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final SelectorBackoff backoff = new SelectorBackoff(Duration.ofSeconds(5));

  @Test
  void theFirstTimeAtOnce() {
    assertThat(backoff.grant(REF, false, START)).isTrue();
  }

  @Test
  void anOperatorThatIsNewAndFindsItStolenWaitsToo() {
    assertThat(backoff.grant(REF, true, START)).isFalse();
    assertThat(backoff.grant(REF, true, START.plusSeconds(4))).isFalse();
    assertThat(backoff.grant(REF, true, START.plusSeconds(5))).isTrue();
  }

  @Test
  void againstAToolThatNeverGivesUpItGetsEverSlower() {
    backoff.grant(REF, false, START);
    List<Long> granted = new ArrayList<>();
    for (long second = 0; second < 1200; second++) {
      if (backoff.grant(REF, true, START.plusSeconds(second))) {
        granted.add(second);
        backoff.held(REF, START.plusSeconds(second));
      }
    }

    List<Long> pauses = new ArrayList<>();
    for (int i = 1; i < granted.size(); i++) {
      pauses.add(granted.get(i) - granted.get(i - 1));
    }
    assertThat(pauses).startsWith(11L, 21L, 41L, 81L, 121L, 121L).isSorted();
  }

  @Test
  void aCalmWhileIsForgiven() {
    backoff.grant(REF, true, START);
    assertThat(backoff.grant(REF, true, START.plusSeconds(5))).isTrue();
    backoff.held(REF, START.plus(Duration.ofMinutes(11)));

    assertThat(backoff.grant(REF, true, START.plus(Duration.ofMinutes(12)))).isFalse();
    assertThat(backoff.grant(REF, true, START.plus(Duration.ofMinutes(12)).plusSeconds(5)))
        .isTrue();
  }

  @Test
  void whatTheOperatorTookAwayItselfComesBackAtOnce() {
    for (long walk = 0; walk < 5; walk++) {
      assertThat(backoff.grant(REF, false, START.plusSeconds(walk))).isTrue();
      backoff.held(REF, START.plusSeconds(walk));
      backoff.released(REF);
    }
  }
}
