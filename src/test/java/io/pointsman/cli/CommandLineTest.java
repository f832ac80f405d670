// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.pointsman.testing.Project;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

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
    assertThat(out.toString())
        .contains(
            "agent", "operator", "maps", "rules", "verify", "plan", "status", "remove", "version");
  }

  /** A command that is written and not listed would only be missed by the person who needs it. */
  @Test
  void everyCommandIsOneOfTheProgram() {
    var written =
        new ClassFileImporter()
            .importPackages("io.pointsman.cli").stream()
                .filter(each -> each.isAnnotatedWith(Command.class))
                .map(JavaClass::getName)
                .toList();
    var program = Main.commandLine();
    var listed =
        withSubcommands(program)
            .map(each -> each.getCommandSpec().userObject().getClass().getName())
            .toList();
    assertThat(written).hasSizeGreaterThan(1).containsExactlyInAnyOrderElementsOf(listed);
  }

  private static Stream<CommandLine> withSubcommands(CommandLine command) {
    return Stream.concat(
        Stream.of(command),
        command.getSubcommands().values().stream().flatMap(CommandLineTest::withSubcommands));
  }

  /** A variable that the chart sets and nobody reads is a value that does nothing. */
  @Test
  void theChartsVariablesAreThoseOfTheOptions() {
    String chart =
        Project.read("helm/pointsman/templates/operator-deployment.yaml")
            + Project.read("helm/pointsman/templates/_helpers.tpl");
    assertThat(chart).contains("name: " + variable("operator", "--log-level"));
    assertThat(chart).contains('"' + variable("agent", "--log-level") + '"');
    assertThat(chart).doesNotContain("QUARKUS_");
  }

  private static String variable(String command, String option) {
    CommandLine found = requireNonNull(Main.commandLine().getSubcommands().get(command));
    String says = String.join(" ", found.getCommandSpec().findOption(option).description());
    return says.replaceAll("(?s).*environment:\\s+(\\w+).*", "$1");
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
  void aWrongAddressIsNamedInOneSentence() {
    assertThat(run("maps", "--address=10.0.0")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("--address: ").contains("give an IPv4 or IPv6 address");
    assertThat(err.toString().lines()).hasSize(1);
  }

  @Test
  void mapsThatAreNotThereAreSaidSo(@TempDir Path folder) {
    assertThat(run("maps", "--bpffs=" + folder)).isEqualTo(Failures.FAILED);
    assertThat(err.toString()).contains("is this node served by BPF");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void anUnknownCommandIsNamedInOneSentence() {
    assertThat(run("fly")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("'fly'");
    assertThat(err.toString().lines()).hasSize(1);
  }
}
