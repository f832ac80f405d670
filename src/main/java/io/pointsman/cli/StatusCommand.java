// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says where every node stands. */
@Command(
    name = "status",
    description =
        "Prints for each node where it comes from and goes to, its step, the flows that drain,"
            + " whether its kernel is proven, and its last failure.",
    exitCodeOnExecutionException = Failures.NOT_LOOKED_AT,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:it was printed",
      "2:the command line is wrong",
      "3:the cluster could not be looked at, or has no Pointsman"
    },
    mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
  private static final int NOT_FOUND = 404;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOption output = new OutputOption();

  @Option(
      names = {"-w", "--watch"},
      description =
          "Go on: print each line that changes, in JSON and YAML all of it each time, until the"
              + " command is ended.")
  private boolean watch;

  @Override
  public Integer call() throws InterruptedException {
    try (KubernetesClient client = cluster.client(command())) {
      StatusReport report =
          new StatusReport(
              client.resources(ProxyDataplane.class).list().getItems(),
              client.resources(NodeDataplane.class).list().getItems());
      if (watch) {
        follow(client, new StatusPrinter(out(), output.format()));
      } else {
        report.print(out(), output.format());
      }
      return 0;
    } catch (KubernetesClientException e) {
      String why =
          e.getCode() == NOT_FOUND
              ? "it has no ProxyDataplanes: is Pointsman installed?"
              : ClusterOptions.reason(e);
      return Failures.notLookedAt(command().commandLine(), why);
    }
  }

  /** Prints what changes until the process is interrupted. */
  private static void follow(KubernetesClient client, StatusPrinter printer)
      throws InterruptedException {
    BlockingQueue<Boolean> changes = new LinkedBlockingQueue<>();
    try (SharedIndexInformer<ProxyDataplane> dataplanes =
            client.resources(ProxyDataplane.class).inform(new Changes<>(changes));
        SharedIndexInformer<NodeDataplane> nodes =
            client.resources(NodeDataplane.class).inform(new Changes<>(changes))) {
      while (true) {
        printer.printChanges(
            new StatusReport(dataplanes.getStore().list(), nodes.getStore().list()));
        boolean unused = changes.take();
        changes.clear();
      }
    }
  }

  /** Notes that something has changed. */
  private record Changes<T>(BlockingQueue<Boolean> changes) implements ResourceEventHandler<T> {
    @Override
    public void onAdd(T resource) {
      changes.add(true);
    }

    @Override
    public void onUpdate(T before, T now) {
      changes.add(true);
    }

    @Override
    public void onDelete(T resource, boolean unknown) {
      changes.add(true);
    }
  }

  private CommandSpec command() {
    return Objects.requireNonNull(spec);
  }

  private PrintWriter out() {
    return command().commandLine().getOut();
  }
}
