// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockLimitTest {
  @TempDir Path folder;

  @Test
  void readsWhatTheKernelTells() throws IOException {
    Path limits = folder.resolve("limits");
    Files.writeString(
        limits,
        """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             unlimited            unlimited            processes
        Max locked memory         65536                unlimited            bytes
        Max address space         unlimited            unlimited            bytes
        """);
    assertThat(LockLimit.read(limits)).isEqualTo(new LockLimit(65_536, LockLimit.UNLIMITED));
    Files.writeString(limits, "");
    assertThat(LockLimit.read(limits).now()).isEqualTo(LockLimit.UNLIMITED);
  }

  /** The shell counts in KiB. */
  @Test
  void isThisProcesss() {
    String shell = Commands.run("sh", "-c", "ulimit -S -l; ulimit -H -l");
    LockLimit own = LockLimit.own();
    assertThat(shell.lines().map(LockLimitTest::bytes)).containsExactly(own.now(), own.most());
  }

  private static long bytes(String kilobytes) {
    return kilobytes.equals("unlimited") ? LockLimit.UNLIMITED : 1024 * Long.parseLong(kilobytes);
  }
}
