// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** How commands answer errors: one sentence on standard error and an exit code. */
final class Failures {
  /** Exit code of a command that could not do what it was asked. */
  static final int FAILED = 1;

  /** Exit code of a command that was asked in a wrong way; nothing was done. */
  static final int WRONG_INPUT = 2;

  /** Exit code of a command that could not look at everything. */
  static final int NOT_LOOKED_AT = 3;

  private Failures() {}

  static int wrongInput(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    say(command, failure.getMessage() + " (see " + name(command) + " --help)");
    return WRONG_INPUT;
  }

  static int failedCommand(Exception failure, CommandLine command, ParseResult arguments) {
    String message = failure.getMessage();
    say(command, message == null ? failure.toString() : message);
    return command.getCommandSpec().exitCodeOnExecutionException();
  }

  /**
   * For a cluster that does not answer: {@link #FAILED} would say that it did, and was found bad.
   */
  static int notLookedAt(CommandLine command, String why) {
    say(command, "the cluster could not be looked at: " + why);
    return NOT_LOOKED_AT;
  }

  static void say(CommandLine command, String sentence) {
    command.getErr().println("pointsman: " + sentence);
    command.getErr().flush();
  }

  private static String name(CommandLine command) {
    return command.getCommandSpec().qualifiedName();
  }
}
