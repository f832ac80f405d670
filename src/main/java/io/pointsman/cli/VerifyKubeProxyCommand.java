// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
    exitCodeOnExecutionException = Failures.NOT_LOOKED_AT,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:every Service is served exactly, on every node that kube-proxy serves; where it serves"
          + " none, nothing was compared",
      "1:there are differences",
      "2:the command line is wrong; nothing was done",
      "3:no differences were seen, but a node or the cluster could not be looked at"
    },
    mixinStandardHelpOptions = true)
final class VerifyKubeProxyCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--node", description = "Only this node; may be given several times.")
  private List<String> nodes = List.of();

  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private LookOptions look = new LookOptions();
  @Mixin private OutputOption output = new OutputOption();

  @Option(
      names = "--settle",
      defaultValue = "20",
      description =
          "Seconds for which a difference must last before it counts (default: ${DEFAULT-VALUE}).")
  private int settleSeconds;

  @Override
  public Integer call() {
    LookOptions.atLeast(0, settleSeconds, "--settle", command());
    look.check(command());
    try (KubernetesClient client = cluster.client(command())) {
      LookSettings settings = look.settings(client, Duration.ofSeconds(settleSeconds), command());
      VerifyReport report = new ClusterLook(client, settings).at(nodes);
      report.print(command().commandLine().getOut(), output.format());
      return report.exitCode();
    } catch (KubernetesClientException e) {
      return Failures.notLookedAt(command().commandLine(), ClusterOptions.reason(e));
    }
  }

  private CommandSpec command() {
    return Objects.requireNonNull(spec);
  }
}
