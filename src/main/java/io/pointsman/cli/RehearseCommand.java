// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.agent.AgentOptions;
import io.pointsman.operator.OperatorOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Starts every role in one process for a few seconds, so that the JVM's AOT cache knows what each
 * of them loads at its start. Run only while the image is built.
 */
@Command(
    name = "rehearse",
    description = "Starts and ends every role, while the image is built.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {
  private static final int PORT = 18_080;

  @Mixin private ServerOptions server = new ServerOptions();

  @Option(
      names = "--seconds",
      defaultValue = "8",
      description = "How long (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Override
  public Integer call() {
    Map<String, String> environment =
        Map.of("POINTSMAN_NAMESPACE", "pointsman-system", "POINTSMAN_AGENT_IMAGE", "pointsman");
    OperatorOptions operator = OperatorOptions.fromEnvironment(environment, Version.current());
    AgentOptions agent =
        new AgentOptions(
            "node-1",
            Path.of("/tmp/bpf"),
            Optional.empty(),
            Path.of("/tmp/servers"),
            Version.current());
    List<Role> roles = List.of(new OperatorRole(operator), new AgentRole(agent));
    return Server.run(new RehearsalRole(roles, PORT, seconds), server, PORT);
  }
}
