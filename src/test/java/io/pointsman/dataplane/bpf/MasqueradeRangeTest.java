// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MasqueradeRangeTest {
  @Test
  void takesTheLargestRunOfPortsThatNobodyElseUses() {
    assertThat(MasqueradeRange.find("32768\t60999\n", "\n", 30_000, 32_767))
        .isEqualTo(new MasqueradeRange(1024, 29_999));
    assertThat(MasqueradeRange.find("1024 60999", "", 30_000, 32_767))
        .isEqualTo(new MasqueradeRange(61_000, 65_535));
    assertThat(MasqueradeRange.find("32768 60999", "8000,20000-20010\n", 30_000, 32_767))
        .isEqualTo(new MasqueradeRange(8001, 19_999));
    assertThat(MasqueradeRange.find("32768 60999", "", 61_000, 65_535))
        .isEqualTo(new MasqueradeRange(1024, 32_767));
    assertThat(MasqueradeRange.find("1024 65535", "", 30_000, 32_767))
        .isEqualTo(MasqueradeRange.NONE);
  }

  @Test
  void readsThisHost() {
    MasqueradeRange range = MasqueradeRange.find(30_000, 32_767);
    assertThat(range.low()).isBetween(1024, range.high());
  }
}
