// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which cluster a command speaks to. */
final class ClusterOptions {
  private static final int API_TIMEOUT_MILLIS = 10_000;

  @Option(names = "--kubeconfig", description = "The kubeconfig file (default: as kubectl).")
  private Optional<Path> kubeconfig = Optional.empty();

  @Option(names = "--context", description = "The context in it (default: the current one).")
  private Optional<String> context = Optional.empty();

  /**
   * A client of that cluster.
   *
   * @throws ParameterException when there is no such file or context
   */
  KubernetesClient client(CommandSpec command) {
    return new KubernetesClientBuilder().withConfig(configuration(command)).build();
  }

  private Config configuration(CommandSpec command) {
    kubeconfig.ifPresent(
        file -> {
          if (!Files.isReadable(file)) {
            throw new ParameterException(
                command.commandLine(),
                "--kubeconfig: " + file + " cannot be read; name a kubeconfig file");
          }
          System.setProperty("kubeconfig", file.toString());
        });
    Config config = Config.autoConfigure(context.orElse(null));
    if (context.isPresent()
        && (config.getCurrentContext() == null
            || !context.get().equals(config.getCurrentContext().getName()))) {
      throw new ParameterException(
          command.commandLine(), "--context: the kubeconfig has no context " + context.get());
    }
    return new ConfigBuilder(config)
        .withConnectionTimeout(API_TIMEOUT_MILLIS)
        .withRequestRetryBackoffLimit(2)
        .build();
  }

  /** What the server said, or why it was not reached, which stands at the end of the causes. */
  static String reason(KubernetesClientException failure) {
    if (failure.getCode() == HttpURLConnection.HTTP_FORBIDDEN && failure.getStatus() != null) {
      return failure.getStatus().getMessage()
          + "; have this right granted, the user guide lists all that are needed";
    }
    if (failure.getCode() > 0) {
      return String.valueOf(failure.getMessage());
    }
    Throwable last = failure;
    while (last.getCause() != null) {
      last = last.getCause();
    }
    return last + "; does the kubeconfig name a cluster that can be reached?";
  }
}
