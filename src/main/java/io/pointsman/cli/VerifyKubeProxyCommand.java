// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
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

/** Proves of the kube-proxy on each node that it serves exactly the cluster's Services. */
@Command(
    name = "kube-proxy",
    description = {
      "Says for each Service whether kube-proxy serves exactly its endpoints on every node, and what"
          + " is missing, stale or foreign. Changes nothing.",
      "The kernels are read by short-lived pods of Pointsman's image; nothing else has to be"
          + " installed."
    },
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:every Service is served exactly, on every node",
      "1:there are differences",
      "2:the command line is wrong; nothing was done",
      "3:no differences were seen, but a node or the cluster could not be looked at"
    },
    mixinStandardHelpOptions = true)
final class VerifyKubeProxyCommand implements Callable<Integer> {
  /** Exit code of a command that could not look at everything. */
  static final int NOT_LOOKED_AT = 3;

  /** How the result is printed. */
  enum Format {
    table,
    json,
    yaml
  }

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--node", description = "Only this node; may be given several times.")
  private List<String> nodes = List.of();

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  @Option(
      names = "--image",
      description = "Pointsman's image (default: that of the operator, where one is installed).")
  private Optional<String> image = Optional.empty();

  @Option(
      names = {"-n", "--namespace"},
      description =
          "Where the pods run; it must allow host network and NET_ADMIN (default: the operator's,"
              + " else kube-system).")
  private Optional<String> namespace = Optional.empty();

  @Mixin private ClusterOptions cluster = new ClusterOptions();

  @Option(
      names = "--settle",
      defaultValue = "20",
      description =
          "Seconds for which a difference must last before it counts (default: ${DEFAULT-VALUE}).")
  private int settleSeconds;

  @Option(
      names = "--timeout",
      defaultValue = "120",
      description = "Seconds for a node's pod to start (default: ${DEFAULT-VALUE}).")
  private int timeoutSeconds;

  @Option(
      names = "--parallel",
      defaultValue = "10",
      description = "How many nodes are looked at at a time (default: ${DEFAULT-VALUE}).")
  private int parallel;

  @Override
  public Integer call() {
    check();
    try (KubernetesClient client = cluster.client(commandLineSpec())) {
      LookSettings settings =
          LookSettings.of(client, image, namespace)
              .lasting(
                  Duration.ofSeconds(settleSeconds), Duration.ofSeconds(timeoutSeconds), parallel);
      VerifyReport report = new ClusterLook(client, settings).at(nodes);
      switch (format) {
        case table -> report.printTable(out());
        case json -> out().println(report.json());
        case yaml -> out().print(report.yaml());
      }
      out().flush();
      return report.exitCode();
    } catch (LookSettings.ImageUnknownException e) {
      throw new ParameterException(commandLineSpec().commandLine(), e.getMessage(), e);
    } catch (KubernetesClientException e) {
      // A sentence instead of a failure of the program: 1 would say that differences were seen.
      commandLineSpec()
          .commandLine()
          .getErr()
          .println("pointsman: the cluster could not be looked at: " + ClusterOptions.reason(e));
      return NOT_LOOKED_AT;
    }
  }

  private void check() {
    positive("--settle", settleSeconds + 1);
    positive("--timeout", timeoutSeconds);
    positive("--parallel", parallel);
  }

  private void positive(String option, int value) {
    if (value < 1) {
      wrong(option + ": the number is too small; give a number of seconds or nodes");
    }
  }

  private void wrong(String sentence) {
    throw new ParameterException(commandLineSpec().commandLine(), sentence);
  }

  private CommandSpec commandLineSpec() {
    return Objects.requireNonNull(spec);
  }

  private PrintWriter out() {
    return commandLineSpec().commandLine().getOut();
  }
}
