// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.cli.LookPod.LookException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;

/** One run of a command that looks at nodes by jobs, some at a time, and leaves nothing behind. */
final class LookRun implements AutoCloseable {
  private final KubernetesClient client;
  private final LookSettings settings;
  private final String label = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
  private final Thread hook = new Thread(this::removeJobs, "remove jobs");
  private final ExecutorService workers;

  LookRun(KubernetesClient client, LookSettings settings) {
    this.client = client;
    this.settings = settings;
    this.workers =
        Executors.newFixedThreadPool(
            settings.parallel(), Thread.ofPlatform().daemon().name("look-", 0).factory());
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** A look at one node. */
  @FunctionalInterface
  interface Look<R> {
    /** What was seen there. */
    R at(String node) throws InterruptedException;
  }

  /** The value of {@link LookJob#RUN_LABEL} on everything of this run. */
  String label() {
    return label;
  }

  /** How long a difference must last before it counts. */
  Duration settle() {
    return settings.settle();
  }

  /** Starts a job and waits until its pod runs. */
  LookPod start(Job job) throws LookException, InterruptedException {
    return LookPod.start(client, settings, job);
  }

  /**
   * Looks at each node once.
   *
   * @param failed what a look that failed has come to, by node and reason
   */
  <R> List<R> at(Collection<String> nodes, Look<R> look, BiFunction<String, String, R> failed) {
    Map<String, Future<R>> looks = new LinkedHashMap<>();
    for (String node : nodes) {
      if (!looks.containsKey(node)) {
        looks.put(node, workers.submit(() -> look.at(node)));
      }
    }
    List<R> results = new ArrayList<>();
    looks.forEach((node, future) -> results.add(outcome(node, future, failed)));
    return results;
  }

  private static <R> R outcome(String node, Future<R> look, BiFunction<String, String, R> failed) {
    try {
      return look.get();
    } catch (ExecutionException e) {
      return failed.apply(node, String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return failed.apply(node, "the command was interrupted");
    }
  }

  @Override
  public void close() {
    workers.shutdownNow();
    removeJobs();
    Runtime.getRuntime().removeShutdownHook(hook);
  }

  /** Deletes what this run has made; what it cannot delete ends by its deadline. */
  private void removeJobs() {
    try {
      client
          .batch()
          .v1()
          .jobs()
          .inNamespace(settings.namespace())
          .withLabel(LookJob.RUN_LABEL, label)
          .withPropagationPolicy(DeletionPropagation.BACKGROUND)
          .delete();
      client
          .pods()
          .inNamespace(settings.namespace())
          .withLabel(LookJob.RUN_LABEL, label)
          .withGracePeriod(0)
          .delete();
    } catch (KubernetesClientException e) {
      System.err.println(
          "pointsman: the jobs of this look could not be deleted; the cluster does it in "
              + settings.lifetime().plusSeconds(59).toMinutes()
              + " minutes: "
              + e.getMessage());
    }
  }
}
