// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.agent.AgentOptions;
import io.pointsman.operator.OperatorOptions;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Starts one role for a few seconds, so that the JVM's AOT cache knows what that role loads at its
 * start, and nothing else: what is mapped is resident. Run only while the image is built.
 */
@Command(
    name = "rehearse",
    description = "Starts and ends a role, while the image is built.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {
  private static final int PORT = 18_080;

  @Mixin private ServerOptions server = new ServerOptions();

  @Parameters(
      paramLabel = "<role>",
      description = "The command that is rehearsed: ${COMPLETION-CANDIDATES}.")
  private Rehearsed rehearsed = Rehearsed.AGENT;

  @Option(
      names = "--seconds",
      defaultValue = "8",
      description = "How long (default: ${DEFAULT-VALUE}).")
  private int seconds;

  /** The commands that serve. */
  enum Rehearsed {
    AGENT,
    OPERATOR
  }

  @Override
  public Integer call() {
    Role role =
        switch (rehearsed) {
          case AGENT -> agent();
          case OPERATOR -> operator();
        };
    return Server.run(new RehearsalRole(role, PORT, seconds), server, PORT);
  }

  private static Role operator() {
    Map<String, String> environment =
        Map.of("POINTSMAN_NAMESPACE", "pointsman-system", "POINTSMAN_AGENT_IMAGE", "pointsman");
    return new OperatorRole(OperatorOptions.fromEnvironment(environment, Version.current()));
  }

  private static Role agent() {
    return new AgentRole(
        new AgentOptions(
            "node-1",
            Path.of("/tmp/bpf"),
            Optional.empty(),
            Path.of("/tmp/servers"),
            Version.current()));
  }
}
