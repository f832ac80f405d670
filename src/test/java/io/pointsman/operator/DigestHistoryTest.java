// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Digest;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class DigestHistoryTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Digest ONE = new Digest(1, 1);
  private static final Digest TWO = new Digest(2, 2);

  private final DigestHistory history = new DigestHistory();

  @Test
  void aDigestCountsForAMinuteAfterItWasCurrent() {
    history.restart(ONE);
    history.change(TWO, START);

    assertThat(history.current()).isEqualTo(TWO.toString());
    assertThat(history.recent(START.plusSeconds(60)))
        .containsExactlyInAnyOrder(ONE.toString(), TWO.toString());
    assertThat(history.recent(START.plusSeconds(61))).containsExactly(TWO.toString());
    assertThat(history.recent(START.plusSeconds(10_000))).containsExactly(TWO.toString());
  }

  @Test
  void whatWasSeenWhileListingDoesNotCount() {
    history.change(ONE, START);
    history.restart(TWO);

    assertThat(history.recent(START)).containsExactly(TWO.toString());
  }
}
