// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.verify.kubeproxy.Difference.Kind;
import io.pointsman.verify.kubeproxy.Settling.State;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SettlingTest {
  private static final Difference A = new Difference(Kind.MISSING, "a", "", "", "a");
  private static final Difference B = new Difference(Kind.MISSING, "b", "", "", "b");

  private final Settling settling = new Settling(10);

  @Test
  void nothingIsSettledAtOnce() {
    assertThat(settling.add(Set.of(), 100)).isEqualTo(State.SETTLED);
  }

  @Test
  void whatGoesWasNone() {
    assertThat(settling.add(Set.of(A), 100)).isEqualTo(State.WAITING);
    assertThat(settling.add(Set.of(B), 101)).isEqualTo(State.SETTLED);
    assertThat(settling.lasting()).isEmpty();
  }

  @Test
  void whatStaysIsOne() {
    assertThat(settling.add(Set.of(A, B), 100)).isEqualTo(State.WAITING);
    assertThat(settling.add(Set.of(A), 109)).isEqualTo(State.WAITING);
    assertThat(settling.add(Set.of(A, B), 110)).isEqualTo(State.LASTING);
    assertThat(settling.lasting()).containsExactly(A);
  }

  @Test
  void withoutATimeTheFirstLookCounts() {
    assertThat(new Settling(0).add(Set.of(A), 100)).isEqualTo(State.LASTING);
  }
}
