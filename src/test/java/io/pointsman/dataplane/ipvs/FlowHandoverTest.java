// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How long entries in conntrack may stay that ip_vs takes with its connections. */
class FlowHandoverTest {
  /** Were they made again before it forgets the old ones, it would take the new ones. */
  @ParameterizedTest(name = "{0}: {1} ms from look to look, gone at look {2}")
  @CsvSource({
    "gone at once,                    1,   1",
    "a tick of the kernel later,      1,   10",
    "the machine stands in between, 2000,  10",
    "a slow look,                    20,   40"
  })
  void waitsUntilTheKernelHasHadItsTurns(String name, long milliseconds, int goneAt) {
    AtomicInteger looks = new AtomicInteger();
    AtomicLong clock = new AtomicLong();
    FlowHandover.awaitForgotten(
        () -> looks.incrementAndGet() == goneAt,
        FlowHandover.MIN_LOOKS,
        () -> clock.getAndAdd(Duration.ofMillis(milliseconds).toNanos()));
    assertThat(looks).hasValue(goneAt);
  }

  @Test
  void doesNotWaitForKernelsThatForgetByAndBy() {
    AtomicLong clock = new AtomicLong();
    FlowHandover.awaitForgotten(
        () -> false,
        FlowHandover.MIN_LOOKS,
        () -> clock.getAndAdd(Duration.ofMillis(100).toNanos()));
    assertThat(Duration.ofNanos(clock.get())).isGreaterThan(Duration.ofSeconds(1));
  }
}
