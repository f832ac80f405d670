// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.agent.AgentOptions;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Serves as the agent of one node. */
@Command(
    name = "agent",
    description = "Serves as the agent of one node; the operator's DaemonSet sets its environment.",
    mixinStandardHelpOptions = true)
final class AgentCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Option(
      names = "--port",
      defaultValue = "10356",
      description = "Port of health, metrics and the probe (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--node-name",
      defaultValue = "${env:NODE_NAME:-}",
      description = "The Node this agent works for (default: the environment's NODE_NAME).")
  private String nodeName = "";

  @Option(
      names = "--cgroup",
      description = "The root of the cgroup2 hierarchy of all pods (default: it is looked for).")
  private Optional<Path> cgroup = Optional.empty();

  @Option(
      names = "--api-servers",
      defaultValue = "/etc/pointsman/api-servers",
      description =
          "A file with addresses of the API server, tried before the Service's"
              + " (default: ${DEFAULT-VALUE}).")
  private Path apiServers = Path.of("/etc/pointsman/api-servers");

  @Override
  public Integer call() {
    return Server.run(new AgentRole(options()), server, port);
  }

  private AgentOptions options() {
    try {
      return new AgentOptions(nodeName, bpffs.path(), cgroup, apiServers, Version.current());
    } catch (IllegalArgumentException wrong) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(), wrong.getMessage(), wrong);
    }
  }
}
