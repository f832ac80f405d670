// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.cli.PlanFile.WrongFileException;
import io.pointsman.operator.DryRun;
import java.time.Duration;
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

/** Says what a ProxyDataplane would do to each node, before it is applied. */
@Command(
    name = "plan",
    description = {
      "Says for each node what applying a ProxyDataplane would do: what Preflight finds, the entries"
          + " to write and to remove, memory, established flows, and the steps. Changes nothing.",
      "The file is checked by the API server and not stored. The kernels are read by short-lived"
          + " pods of Pointsman's image."
    },
    exitCodeOnExecutionException = Failures.NOT_LOOKED_AT,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:no node would be stopped; all were looked at but those that nothing changes on or that go"
          + " back to kube-proxy",
      "1:Preflight would stop at least one node, or kube-proxy's DaemonSet is missing",
      "2:the command line or the file is wrong",
      "3:no node would be stopped, but a node or the cluster could not be looked at",
      "4:as 0, and something would be changed; only with --detailed-exitcode"
    },
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  /** Exit code of a plan that can be carried out and changes something, where that is asked for. */
  static final int CHANGES = 4;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private LookOptions look = new LookOptions();
  @Mixin private OutputOption output = new OutputOption();

  @Option(
      names = {"-f", "--filename"},
      required = true,
      description = "A file with one ProxyDataplane, - for standard input.")
  private String file = "";

  @Option(
      names = "--detailed-exitcode",
      description = "End with 4 instead of 0 when something would be changed.")
  private boolean detailed;

  @Override
  public Integer call() {
    look.check(command());
    try {
      GenericKubernetesResource wanted = PlanFile.read(file);
      try (KubernetesClient client = cluster.client(command())) {
        return plan(client, PlanFile.checked(client, wanted));
      }
    } catch (WrongFileException e) {
      throw new ParameterException(command().commandLine(), String.valueOf(e.getMessage()), e);
    } catch (KubernetesClientException e) {
      return Failures.notLookedAt(command().commandLine(), ClusterOptions.reason(e));
    }
  }

  private int plan(KubernetesClient client, ProxyDataplane wanted) {
    LookSettings settings = look.settings(client, Duration.ZERO, command());
    DryRun dryRun =
        new DryRun(client, wanted, LookSettings.operatorNamespace(client), settings.namespace());
    dryRun
        .refusal()
        .ifPresent(
            refusal -> {
              throw new WrongFileException(refusal);
            });
    Optional<String> obstacle = dryRun.missingDaemonSet().map(PlanCommand::missing);
    PlanReport report =
        new PlanReport(
            wanted.getMetadata().getName(),
            obstacle,
            new ClusterPlan(client, settings).answers(dryRun.questions()));
    report.print(command().commandLine().getOut(), output.format());
    obstacle.ifPresent(why -> Failures.say(command().commandLine(), why));
    return report.exitCode(detailed);
  }

  private static String missing(String daemonSet) {
    return "there is no DaemonSet "
        + daemonSet
        + ", so nothing would begin: name kube-proxy's in spec.kubeProxy, or set its management to"
        + " Unmanaged";
  }

  private CommandSpec command() {
    return Objects.requireNonNull(spec);
  }
}
