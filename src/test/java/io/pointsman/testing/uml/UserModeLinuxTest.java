// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a machine tells of its end, and when it is ended. */
class UserModeLinuxTest {
  private static final UserModeLinux MACHINE = machine(Duration.ofMinutes(10));
  private static final InnerMachine.Watcher SILENT = folder -> false;

  @Test
  void theCommandsExitCodeComesOut() {
    assertThat(MACHINE.run("exit 7", SILENT)).isEqualTo(7);
  }

  @Test
  void aPanicIsToldAtOnce() {
    assertThatThrownBy(() -> MACHINE.run("echo c >/proc/sysrq-trigger", SILENT))
        .hasMessageStartingWith("User-Mode Linux died:")
        .hasMessageContaining("sysrq triggered crash");
  }

  @Test
  void oneThatSaysNothingIsEnded() {
    assertThatThrownBy(() -> machine(Duration.ofSeconds(1)).run("sleep infinity", SILENT))
        .hasMessageStartingWith("User-Mode Linux said nothing new for PT1S:");
  }

  @Test
  void oneThatSaysSomethingGoesOn() {
    assertThat(machine(Duration.ZERO).run("exit 7", folder -> true)).isEqualTo(7);
  }

  private static UserModeLinux machine(Duration patience) {
    return new UserModeLinux(256, List.of(), patience);
  }
}
