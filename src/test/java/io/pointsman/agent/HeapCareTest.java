// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeapCareTest {
  /** In MiB. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, false",
    "24, 0, false",
    "25, 0, true",
    "34, 10, false",
    "35, 10, true",
    "150, 100, false",
    "151, 100, true",
    "90, 100, false"
  })
  void collectsOnceEnoughCanBeGarbage(long used, long kept, boolean collects) {
    AtomicInteger collections = new AtomicInteger();
    new HeapCare(() -> used << 20, () -> kept << 20, collections::incrementAndGet).tend();
    assertThat(collections.get()).isEqualTo(collects ? 1 : 0);
  }
}
