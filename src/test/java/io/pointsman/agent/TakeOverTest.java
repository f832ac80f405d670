// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.dataplane.DataplaneException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever becomes of a handover, new flows are taken, once. */
class TakeOverTest {
  private final AtomicInteger taken = new AtomicInteger();

  static Stream<Consumer<Runnable>> handovers() {
    return Stream.of(
        Runnable::run,
        takeOver -> {
          throw new DataplaneException("before", null);
        },
        takeOver -> {
          takeOver.run();
          throw new DataplaneException("after", null);
        });
  }

  @ParameterizedTest
  @MethodSource("handovers")
  void takesOverOnce(Consumer<Runnable> handover) {
    TakeOver.amid(handover, taken::incrementAndGet, "harm");
    assertThat(taken).hasValue(1);
  }

  @Test
  void failsWhereItCannotTakeOver() {
    Runnable refused =
        () -> {
          taken.incrementAndGet();
          throw new DataplaneException("refused", null);
        };
    assertThatThrownBy(() -> TakeOver.amid(Runnable::run, refused, "harm")).hasMessage("refused");
    assertThat(taken).hasValue(1);
  }
}
