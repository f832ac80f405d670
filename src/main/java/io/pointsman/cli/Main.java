// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.quarkus.runtime.annotations.QuarkusMain;
import picocli.CommandLine;

/**
 * Where the program starts. The command line is read before anything else, so a wrong one is
 * answered at once; Quarkus is started only by the commands that serve.
 */
@QuarkusMain
public final class Main {
  private Main() {}

  /** Runs the command that the arguments name and ends the process with its exit code. */
  public static void main(String... arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** All commands, with the way they answer errors. */
  static CommandLine commandLine() {
    return new CommandLine(new PointsmanCommand())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(Failures::wrongInput)
        .setExecutionExceptionHandler(Failures::failedCommand);
  }
}
