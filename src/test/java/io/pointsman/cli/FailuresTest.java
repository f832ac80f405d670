// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class FailuresTest {
  /** Where 1 means that the cluster was looked at and found bad, a mishap is something else. */
  @ParameterizedTest
  @CsvSource({"plan -f x, 3", "verify kube-proxy, 3", "status, 3", "remove, 1", "rules, 1"})
  void aMishapIsNoFinding(String words, int code) {
    StringWriter err = new StringWriter();
    CommandLine command = Main.commandLine().setErr(new PrintWriter(err));
    String[] arguments = words.split(" ");
    var parsed = command.parseArgs(arguments);
    for (String name : arguments) {
      command = Objects.requireNonNullElse(command.getSubcommands().get(name), command);
    }
    assertThat(Failures.failedCommand(new IllegalStateException("a mishap"), command, parsed))
        .as(Arrays.toString(arguments))
        .isEqualTo(code);
    assertThat(err.toString()).isEqualTo("pointsman: a mishap\n");
  }
}
