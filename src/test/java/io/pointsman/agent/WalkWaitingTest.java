// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Step;
import io.pointsman.api.Toggle;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner;
import java.lang.reflect.InvocationHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How long the walk waits for what, by a clock that stands still. */
class WalkWaitingTest {
  private final AtomicLong now = new AtomicLong();
  private final Map<LinuxDataplane, Phase> phases = new EnumMap<>(LinuxDataplane.class);

  /** A probe that had failed for half a minute left flows no time at all. */
  @Test
  void flowsGetAllOfTheirTimeAfterAProbeThatFailedAtFirst() {
    phases.put(LinuxDataplane.BPF, Phase.PREPARED);
    phases.put(LinuxDataplane.IPTABLES, Phase.ACTIVE);
    Catalogue catalogue = Catalogue.forNode("node-1");
    NodeDataplane resource = resource();
    NodeDataplaneSpec spec = resource.getSpec();
    try (Kernel kernel = kernel(catalogue);
        Chores chores =
            new Chores(new CommandRunner(List.of(), ""), new Inbox(), Path.of("/nowhere"))) {
      Walk walk = asked(resource, catalogue, kernel, chores);
      walk.advance(true);
      assertThat(reached(walk).reason()).isEqualTo("Probing");

      spec.verification.probe = Toggle.DISABLED;
      advance(walk, spec.drainSeconds - 1);
      assertThat(reached(walk).reason()).isEqualTo("Draining");
      advance(walk, spec.drainSeconds - 1);
      assertThat(reached(walk).reason()).isEqualTo("Draining");
      assertThat(walk.state().drainingFlows).isOne();
      assertThat(phases).containsEntry(LinuxDataplane.IPTABLES, Phase.DRAINING);
    }
  }

  /** A deadline that ended the step between two tries told nothing of what stood in its way. */
  @Test
  void whatCannotBeCleanedIsToldWhileItIsTriedAgain(@TempDir Path programs) throws Exception {
    assertThat(Files.createFile(programs.resolve("nft")).toFile().setExecutable(true)).isTrue();
    phases.put(LinuxDataplane.BPF, Phase.PREPARED);
    Catalogue catalogue = Catalogue.forNode("node-1");
    Inbox inbox = new Inbox();
    Set<String> told = new LinkedHashSet<>();
    NodeDataplane resource = resource();
    resource.getSpec().verification.probe = Toggle.DISABLED;
    try (Kernel kernel = kernel(catalogue);
        Chores chores =
            new Chores(
                new CommandRunner(List.of("false"), programs.toString()),
                inbox,
                Path.of("/nowhere"))) {
      Walk walk = asked(resource, catalogue, kernel, chores);
      for (int tries = 0; tries < 3; tries++) {
        advance(walk, 1);
        told.add(reached(walk).reason() + tries);
        inbox.take(Inbox.forever()).messages().forEach(Runnable::run);
        told.add(reached(walk).message());
      }
    }
    assertThat(told)
        .containsExactly(
            "Cleaning0",
            "It could not be done: nft list tables ended with 1: ",
            "LeftoversRemain1",
            "LeftoversRemain2");
  }

  /** A walk that is asked for this and has not moved yet. */
  private Walk asked(NodeDataplane resource, Catalogue catalogue, Kernel kernel, Chores chores) {
    Walk walk = new Walk(catalogue, kernel, chores, now::get, () -> {});
    kernel.use(resource.getSpec());
    kernel.look(resource.getSpec());
    walk.ask(resource, Phase.PREPARED);
    return walk;
  }

  private void advance(Walk walk, int seconds) {
    now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    walk.advance(true);
  }

  private static Progress reached(Walk walk) {
    return Objects.requireNonNull(walk.state().progress);
  }

  private static NodeDataplane resource() {
    NodeDataplane resource = new NodeDataplane();
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    spec.linuxDataplane = LinuxDataplane.BPF;
    spec.step = Step.CLEAN;
    spec.kubeProxy = KubeProxyState.DETACHED;
    spec.drainSeconds = 20;
    spec.probe = new ServiceReference();
    spec.probe.namespace = "default";
    spec.probe.name = "without-endpoints";
    resource.setSpec(spec);
    return resource;
  }

  private Kernel kernel(Catalogue catalogue) {
    Map<LinuxDataplane, DataplaneSettings.Factory> factories =
        Map.of(
            LinuxDataplane.BPF, settings -> inMemory(LinuxDataplane.BPF),
            LinuxDataplane.IPTABLES, settings -> inMemory(LinuxDataplane.IPTABLES));
    return new Kernel(
        factories,
        settings -> inMemory(LinuxDataplane.IPVS),
        catalogue,
        new AgentMetrics(new SimpleMeterRegistry()));
  }

  /** A dataplane of a cluster without Services, with one flow that does not end. */
  private Dataplane inMemory(LinuxDataplane kind) {
    return FaultyKernel.dataplane(
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "phase" -> phases.getOrDefault(kind, Phase.ABSENT);
              case "prepare", "repair", "maintain" -> SyncResult.NONE;
              case "read" -> new Nothing();
              case "activate" -> phases.put(kind, Phase.ACTIVE);
              case "drain" -> {
                phases.put(kind, Phase.DRAINING);
                yield DrainState.carrying(1);
              }
              case "drainAfter" -> InvocationHandler.invokeDefault(proxy, method, arguments);
              case "remove" -> phases.remove(kind);
              case "leftovers" -> List.of();
              case "close" -> null;
              default -> throw new UnsupportedOperationException(method.getName());
            });
  }

  private record Nothing() implements KernelState {
    @Override
    public Digest digest() {
      return Digest.EMPTY;
    }

    @Override
    public int frontendCount() {
      return 0;
    }

    @Override
    public int backendCount() {
      return 0;
    }

    @Override
    public void forEach(Visitor visitor) {}

    @Override
    public List<String> defects() {
      return List.of();
    }
  }
}
