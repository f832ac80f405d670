// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a machine tells of its end. */
class UserModeLinuxTest {
  private static final UserModeLinux MACHINE =
      new UserModeLinux(256, List.of(), Duration.ofMinutes(10));

  @Test
  void theCommandsExitCodeComesOut() {
    assertThat(MACHINE.run("exit 7", folder -> {})).isEqualTo(7);
  }

  @Test
  void aPanicIsToldAtOnce() {
    assertThatThrownBy(() -> MACHINE.run("echo c >/proc/sysrq-trigger", folder -> {}))
        .hasMessageStartingWith("User-Mode Linux died:")
        .hasMessageContaining("sysrq triggered crash");
  }
}
