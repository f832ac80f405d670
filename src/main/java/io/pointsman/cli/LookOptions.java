// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How a command looks at the kernels of nodes. */
final class LookOptions {
  @Option(
      names = "--image",
      description = "Pointsman's image (default: that of the operator, where one is installed).")
  private Optional<String> image = Optional.empty();

  @Option(
      names = {"-n", "--namespace"},
      description =
          "Where the pods run; it must allow host network and NET_ADMIN, and to 'plan' host paths"
              + " (default: the operator's, else kube-system).")
  private Optional<String> namespace = Optional.empty();

  @Option(
      names = "--timeout",
      defaultValue = "120",
      description =
          "Seconds for a node's pod to start, and for its answer (default: ${DEFAULT-VALUE}).")
  private int timeoutSeconds;

  @Option(
      names = "--parallel",
      defaultValue = "10",
      description = "How many nodes are looked at at a time (default: ${DEFAULT-VALUE}).")
  private int parallel;

  /**
   * Refuses numbers that mean nothing.
   *
   * @throws ParameterException when one is too small
   */
  void check(CommandSpec command) {
    atLeast(1, timeoutSeconds, "--timeout", command);
    atLeast(1, parallel, "--parallel", command);
  }

  static void atLeast(int least, int value, String option, CommandSpec command) {
    if (value < least) {
      throw new ParameterException(
          command.commandLine(),
          option + ": the number is too small; give " + least + " or more, seconds or nodes");
    }
  }

  /**
   * With what was not named taken from the operator.
   *
   * @param settle for how long a difference must last before it counts
   * @throws ParameterException when there is no operator to take the image from
   */
  LookSettings settings(KubernetesClient client, Duration settle, CommandSpec command) {
    try {
      return LookSettings.of(client, image, namespace)
          .lasting(settle, Duration.ofSeconds(timeoutSeconds), parallel);
    } catch (LookSettings.ImageUnknownException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }
}
