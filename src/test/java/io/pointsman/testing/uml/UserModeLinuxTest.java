// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
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
  void whatHangsIsTold() {
    String command =
        InnerJvm.command(
            InnerRunner.class,
            List.of(),
            List.of(InnerMachine.OUTSIDE + "/events", HangInside.class.getName()));
    // Until the test inside has begun.
    InnerMachine.Watcher start = folder -> !Files.exists(folder.resolve("events"));
    assertThatThrownBy(() -> machine(Duration.ofSeconds(5)).run(command, start))
        .hasMessageContaining("CountDownLatch.await < HangInside.waitsForNobody")
        .hasMessageContaining("sysrq: Show Blocked State");
  }

  @Test
  void oneThatSaysSomethingGoesOn() {
    assertThat(machine(Duration.ZERO).run("exit 7", folder -> true)).isEqualTo(7);
  }

  private static UserModeLinux machine(Duration patience) {
    return new UserModeLinux(256, List.of(), patience);
  }
}
