// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(run("version")).isZero();
    assertThat(out.toString().strip()).matches("pointsman \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
  }

  @Test
  void helpNamesTheCommands() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).contains("version");
  }

  @Test
  void noCommandIsWrongInput() {
    assertThat(run()).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).startsWith("pointsman: No command was given: use one of ");
    assertThat(err.toString().lines()).hasSize(1);
  }

  @Test
  void anUnknownFlagIsNamedInOneSentence() {
    assertThat(run("version", "--colour")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("--colour").contains("(see pointsman version --help)");
    assertThat(err.toString().lines()).hasSize(1);
  }

  @Test
  void anUnknownCommandIsNamedInOneSentence() {
    assertThat(run("fly")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("'fly'");
    assertThat(err.toString().lines()).hasSize(1);
  }
}
