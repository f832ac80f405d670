// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GeneratedFilesTest {
  @Test
  void committedFilesAreWhatTheJavaTypesSay() {
    assertThat(GeneratedFiles.different())
        .as("run scripts/generate and commit what it writes")
        .isEmpty();
  }
}
