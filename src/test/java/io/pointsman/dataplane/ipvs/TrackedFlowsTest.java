// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.Conntrack.Flow;
import io.pointsman.kernel.FlowTuple;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How long is waited until the kernel has forgotten flows, and until they have had an answer. */
class TrackedFlowsTest {
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
    TrackedFlows.UNTIL_FORGOTTEN.await(
        () -> looks.incrementAndGet() == goneAt,
        () -> clock.getAndAdd(Duration.ofMillis(milliseconds).toNanos()));
    assertThat(looks).hasValue(goneAt);
  }

  @Test
  void doesNotWaitForKernelsThatForgetByAndBy() {
    AtomicLong clock = new AtomicLong();
    TrackedFlows.UNTIL_FORGOTTEN.await(
        () -> false, () -> clock.getAndAdd(Duration.ofMillis(100).toNanos()));
    assertThat(Duration.ofNanos(clock.get())).isGreaterThan(Duration.ofSeconds(1));
  }

  /** By what was found at the last look. */
  @ParameterizedTest(name = "{0}: {1} ms from look to look, answered at look {4}")
  @CsvSource({
    "answered already,            1, 17, 1,  1,  1",
    "an answer on its way,        1, 17, 1,  5,  5",
    "the machine stands still, 2000, 17, 1, 10, 10",
    "none ever,                  10, 17, 1, -1, 25",
    "none ever and slow looks, 2000, 17, 1, -1, 20",
    "none for long,               1, 17, 2, -1,  1",
    "a connection,                1,  6, 1, -1,  1"
  })
  void waitsForTheFirstAnswerToADatagram(
      String name, long milliseconds, int protocol, int id, int answeredAt, int looksTaken) {
    AtomicInteger looks = new AtomicInteger();
    AtomicLong clock = new AtomicLong();
    List<Flow> flows =
        TrackedFlows.awaitAnswers(
            () -> {
              clock.addAndGet(Duration.ofMillis(milliseconds).toNanos());
              return List.of(flow(id, protocol, looks.incrementAndGet() == answeredAt));
            },
            Set.of(2),
            clock::get);
    assertThat(looks).hasValue(looksTaken);
    assertThat(flows).containsExactly(flow(id, protocol, looksTaken == answeredAt));
  }

  private static Flow flow(int id, int protocol, boolean answered) {
    InetAddress client = InetAddress.ofLiteral("198.51.100.1");
    InetAddress pod = InetAddress.ofLiteral("10.244.0.10");
    FlowTuple asked =
        new FlowTuple(client, 40_000, InetAddress.ofLiteral("10.96.0.10"), 53, protocol);
    FlowTuple answer = new FlowTuple(pod, 53, client, 40_000, protocol);
    return new Flow(id, asked, answer, false, answered, false, false, 30, false);
  }
}
