// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The program itself; it does nothing without one of its commands. */
@Command(
    name = "pointsman",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Changes the Service dataplane of a Kubernetes cluster in flight, and proves it.",
    subcommands = {
      AgentCommand.class,
      OperatorCommand.class,
      MapsCommand.class,
      RulesCommand.class,
      VerifyCommand.class,
      PlanCommand.class,
      PlanNodeCommand.class,
      StatusCommand.class,
      RemoveCommand.class,
      RehearseCommand.class,
      VersionCommand.class
    })
final class PointsmanCommand implements Runnable {
  @Spec private @org.jspecify.annotations.Nullable CommandSpec spec;

  @Override
  public void run() {
    CommandSpec own = java.util.Objects.requireNonNull(spec);
    throw new CommandLine.ParameterException(
        own.commandLine(),
        "No command was given: use one of " + String.join(", ", own.subcommands().keySet()));
  }
}
