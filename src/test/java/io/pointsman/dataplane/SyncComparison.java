// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import static io.pointsman.dataplane.RandomServices.desired;
import static io.pointsman.dataplane.SyncServices.ENDPOINTS;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncFigures.Spent;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.Bench;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Full programming and one change of an endpoint by a dataplane, against a real kube-proxy with the
 * same Services in the same run, by kube-proxy's own metrics. Prints ratios; asserts only that the
 * work was done.
 */
public final class SyncComparison {
  private static final int CHANGES = 10;
  private static final int WARM_UP = CHANGES;

  private SyncComparison() {}

  /**
   * Measures both, one after the other, and prints how they compare.
   *
   * @param open opens the dataplane in a node's namespace
   */
  public static void run(int services, Supplier<? extends Dataplane> open, KubeProxySync kubeProxy)
      throws IOException {
    // Loads the classes, which an agent has from its AOT cache.
    measure(WARM_UP, open);
    SyncFigures ours = measure(services, open);
    SyncFigures theirs = kubeProxy.measure(services, CHANGES);
    Bench.print(
        "%,d Services x %d, full: %.0f ms, kube-proxy %.0f ms, ratio %.4f (goal 1)",
        services, ENDPOINTS, ours.full(), theirs.full(), ours.full() / theirs.full());
    Bench.print(
        "%,d Services x %d, one change: %.1f ms, kube-proxy %.1f ms, ratio %.4f (goal 0.5)",
        services, ENDPOINTS, ours.change(), theirs.change(), ours.change() / theirs.change());
    Bench.print(
        "%,d Services x %d, processor time: full %.0f ms, kube-proxy's whole start %.0f ms;"
            + " one change %.1f ms, kube-proxy %.1f ms",
        services,
        ENDPOINTS,
        ours.fullCpu(),
        theirs.fullCpu(),
        ours.changeCpu(),
        theirs.changeCpu());
  }

  private static SyncFigures measure(int services, Supplier<? extends Dataplane> open) {
    List<ServicePort> ports = new ArrayList<>();
    IntStream.range(0, services).forEach(i -> ports.add(SyncServices.port(i, ENDPOINTS)));
    try (KernelSandbox sandbox = new KernelSandbox()) {
      return sandbox.inNamespace(
          () -> {
            try (Dataplane dataplane = open.get()) {
              return measure(dataplane, ports);
            }
          });
    }
  }

  private static SyncFigures measure(Dataplane dataplane, List<ServicePort> ports) {
    Spent full = Spent.on(() -> dataplane.prepare(desired(ports)));
    Spent activation = Spent.on(dataplane::activate);
    List<Spent> changes = new ArrayList<>();
    for (int i = 0; i < CHANGES; i++) {
      ServicePort after = SyncServices.port(i, ENDPOINTS - 1);
      Delta delta = new Delta(List.of(new Change(ports.set(i, after), after)), List.of());
      changes.add(Spent.on(() -> dataplane.apply(delta)));
    }
    Spent read =
        Spent.on(() -> assertThat(dataplane.read().digest()).isEqualTo(desired(ports).digest()));
    SyncFigures figures =
        new SyncFigures(
            full.millis() + activation.millis(), // kube-proxy's full sync is in force, too
            changes.stream().mapToDouble(Spent::millis).sorted().toArray()[CHANGES / 2],
            full.cpu() + activation.cpu(),
            changes.stream().mapToDouble(Spent::cpu).average().orElseThrow());
    // kube-proxy's take an hour and more.
    Bench.print(
        "%,d Services x %d: full %.0f ms, of it activate %.0f ms; one change %.1f ms; read back"
            + " %.0f ms",
        ports.size(),
        ENDPOINTS,
        figures.full(),
        activation.millis(),
        figures.change(),
        read.millis());
    return figures;
  }
}
