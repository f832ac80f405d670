// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CommandRunnerTest {
  private static final int RUNS = 500;

  /** The errors are read by another thread, which may come to it late. */
  @Test
  void whatACommandSaysIsReadHoweverSoonItEnds() throws Exception {
    CommandRunner commands = new CommandRunner();
    Callable<String> once = () -> commands.said(List.of("sh", "-c", "echo missing >&2"), "");
    try (var threads = Executors.newFixedThreadPool(16)) {
      for (Future<String> said :
          threads.invokeAll(Stream.generate(() -> once).limit(RUNS).toList())) {
        assertThat(said.get()).isEqualTo("missing");
      }
    }
  }
}
