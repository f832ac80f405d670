// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;

/** A row of a table test: after these events, these lines are served and these problems named. */
record Rule(
    String name, Consumer<CatalogueHarness> events, List<String> lines, List<String> reasons) {
  /** A row without problems. */
  static Rule rule(String name, Consumer<CatalogueHarness> events, String... lines) {
    return new Rule(name, events, List.of(lines), List.of());
  }

  /** A row with problems. */
  static Rule refused(
      String name, Consumer<CatalogueHarness> events, List<String> lines, String... reasons) {
    return new Rule(name, events, lines, List.of(reasons));
  }

  DynamicTest test() {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          CatalogueHarness harness = new CatalogueHarness();
          events.accept(harness);
          assertThat(harness.lines()).isEqualTo(lines);
          assertThat(harness.reasons()).isEqualTo(reasons);
        });
  }
}
