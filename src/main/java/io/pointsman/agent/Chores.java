// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.bpf.ForeignPins;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyPlaces;
import io.pointsman.kernel.CommandRunner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What takes time and does not touch the dataplane: done on a thread of its own, so that changes of
 * the catalogue reach the kernel meanwhile; the outcome comes back through the inbox.
 */
final class Chores implements AutoCloseable {
  private final KubeProxySource kubeProxy;
  private final KubeProxyCleaner cleaner;
  private final SwitchPlanner planner;
  private final Inbox inbox;
  private final Path bpffs;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("chores").factory());

  /**
   * Works by these commands.
   *
   * @param bpffs where dataplanes of others may have left pins
   */
  Chores(CommandRunner commands, Inbox inbox, Path bpffs) {
    this.kubeProxy = KubeProxyPlaces.of(commands);
    this.cleaner = new KubeProxyCleaner(commands);
    this.planner = new SwitchPlanner(commands);
    this.inbox = inbox;
    this.bpffs = bpffs;
  }

  /** Probes; the outcome is null or what went wrong. */
  void probe(
      List<LiveProbe.Target> targets, Set<String> nodes, Consumer<@Nullable String> outcome) {
    start(() -> LiveProbe.failure(targets, nodes), outcome);
  }

  /** Hands over the flows that kube-proxy left to ip_vs; done at once, by the thread that asks. */
  DrainState drain(LinuxDataplane serving) {
    return cleaner.drain(serving);
  }

  /** Undoes what an agent was at that was killed; done at once, by the thread that asks. */
  void recover() {
    cleaner.letGo();
  }

  /** The same of a kube-proxy that goes on with ip_vs until it has left. */
  void handOverAfter(Runnable takeOver, LinuxDataplane taking) {
    cleaner.handOverAfter(takeOver, taking);
  }

  /**
   * Removes what kube-proxy left and the serving dataplane does not use; the outcome is null or
   * what is still there.
   */
  void clean(LinuxDataplane serving, Consumer<@Nullable String> outcome) {
    start(() -> ofKubeProxy(cleaner.clean(serving)), outcome);
  }

  /**
   * Deletes what of a kube-proxy that has left would take new flows; the outcome is null or what is
   * still there.
   */
  void silence(Consumer<@Nullable String> outcome) {
    start(() -> ofKubeProxy(cleaner.deleteNftTables()), outcome);
  }

  private static @Nullable String ofKubeProxy(List<String> left) {
    return left.isEmpty() ? null : "Of kube-proxy is left: " + some(left) + ".";
  }

  /** Looks at kube-proxy's rules; the outcome is null or in what they differ so far. */
  void check(
      KubeProxyCheck check, List<ExpectedPort> expected, Consumer<@Nullable String> outcome) {
    start(() -> check.look(kubeProxy, expected), outcome);
  }

  /** Looks for what modes have left that kube-proxy is not in; the outcome is null or names it. */
  void leftovers(KubeProxyMode running, Consumer<@Nullable String> outcome) {
    start(() -> someOrNull(cleaner.leftovers(running)), outcome);
  }

  /** The same of every mode, but for what these dataplanes of ours use. */
  void leftovers(Set<LinuxDataplane> ours, Consumer<@Nullable String> outcome) {
    start(() -> someOrNull(cleaner.leftovers(ours)), outcome);
  }

  private static @Nullable String someOrNull(List<String> left) {
    return left.isEmpty() ? null : some(left);
  }

  /** What dataplanes of others have left in bpffs; looked at once, by the thread that asks. */
  List<Finding> foreignPins() {
    return ForeignPins.find(bpffs);
  }

  /**
   * Counts what a switch would do.
   *
   * @param rules what kube-proxy has; null to read it now
   * @param counted receives it on another thread, before the outcome, which is null
   */
  void plan(
      SwitchQuestion question,
      Dataplane target,
      Map<LinuxDataplane, Dataplane> others,
      @Nullable List<KubeProxyState> rules,
      Consumer<SwitchPlan> counted,
      Consumer<@Nullable String> outcome) {
    start(
        () -> {
          counted.accept(planner.plan(question, target, others, rules));
          return null;
        },
        outcome);
  }

  /** The first of them, and how many there are more. */
  static String some(List<String> all) {
    List<String> first = new ArrayList<>(all.subList(0, Math.min(3, all.size())));
    if (all.size() > first.size()) {
      first.add((all.size() - first.size()) + " more");
    }
    return String.join(", ", first);
  }

  private void start(Supplier<@Nullable String> chore, Consumer<@Nullable String> outcome) {
    worker.execute(
        () -> {
          String result = attempt(chore);
          inbox.post(() -> outcome.accept(result));
        });
  }

  private static @Nullable String attempt(Supplier<@Nullable String> chore) {
    try {
      return chore.get();
    } catch (RuntimeException e) {
      return "It could not be done: " + e.getMessage();
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
