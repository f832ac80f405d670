// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.operator.OperatorOptions;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Serves as the cluster's operator. */
@Command(
    name = "operator",
    description = "Serves as the operator; the Helm chart sets its environment.",
    mixinStandardHelpOptions = true)
final class OperatorCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private ServerOptions server = new ServerOptions();

  @Option(
      names = "--port",
      defaultValue = "8080",
      description = "Port of health and metrics (default: ${DEFAULT-VALUE}).")
  private int port;

  @Override
  public Integer call() {
    return Server.run(new OperatorRole(options()), server, port);
  }

  private OperatorOptions options() {
    try {
      return OperatorOptions.fromEnvironment(System.getenv(), Version.current());
    } catch (IllegalArgumentException wrong) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(), wrong.getMessage(), wrong);
    }
  }
}
