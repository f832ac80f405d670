// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Objects;
import io.pointsman.kernel.BpfLink;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What somebody breaks in the kernel behind the agent's back is found and mended by it. */
@OnSharedApiServer
class AgentTamperingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VIP = "10.96.79.1";
  private static final String POD = "10.244.0.5:8080";

  /** The one under way, the one that finds it, and the one that sees it mended. */
  private static final int READ_BACKS = 3;

  private static final AtomicInteger RUNS = new AtomicInteger();

  private NodeFixture node;
  private String name;

  /** How the kernel is spoiled, and what the status says of it. */
  enum Tampering {
    FRONTEND_DELETED(pins -> PinnedMaps.delete(pins, VIP + ":80"), "is missing"),
    BACKEND_FALSIFIED(pins -> PinnedMaps.falsify(pins, POD), VIP),
    MAP_UNPINNED(pins -> unpin(pins.resolve("v1/nat_be")), "nat_be is not pinned"),
    LINK_UNPINNED(pins -> unpin(pins.resolve("v1/links/connect4")), "connect4"),
    PROGRAM_DETACHED(pins -> detach(pins.resolve("v1/links/sendmsg6")), "sendmsg6 is not attached");

    private final Consumer<Path> deed;
    private final String told;

    Tampering(Consumer<Path> deed, String told) {
      this.deed = deed;
      this.told = told;
    }

    private static void unpin(Path pin) {
      try {
        Files.delete(pin);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void detach(Path pin) {
      try (BpfLink link = BpfLink.openPinned(pin)) {
        link.detach();
      }
    }
  }

  @BeforeEach
  void start() {
    name = "tampered-" + RUNS.incrementAndGet();
    node = new NodeFixture(ApiServer.shared(), "node-" + name);
  }

  @AfterEach
  void end() {
    node.deleteService(name);
    node.close();
  }

  @ParameterizedTest
  @EnumSource
  void isFoundAndMended(Tampering tampering) {
    serve();
    double before = readBacks();
    // The next read-back takes them out of the status, perhaps before anybody comes to look.
    var samples =
        node.onceAnswered(
            each ->
                Boolean.TRUE.equals(each.proven)
                    && each.mismatchSamples.stream().anyMatch(s -> s.contains(tampering.told)));
    tampering.deed.accept(pins());
    await().atMost(PATIENCE).until(() -> count("pointsman.repairs") > 0);
    assertThat(readBacks() - before).isLessThanOrEqualTo(READ_BACKS);
    await().atMost(PATIENCE).until(() -> told("KernelRepaired") == 1);

    assertThat(samples).succeedsWithin(PATIENCE);
    assertThat(node.answer().proven).isTrue();
    assertThat(PinnedMaps.read(pins()).get(VIP + ":80")).containsExactly(POD);
    assertThat(pins().resolve("v1/links/connect4")).exists();
    // One more read-back finds nothing left, and tells nothing.
    double mismatches = count("pointsman.mismatches");
    assertThat(mismatches).isPositive();
    double now = readBacks();
    await().atMost(PATIENCE).until(() -> readBacks() > now);
    assertThat(count("pointsman.mismatches")).isEqualTo(mismatches);
    assertThat(told("KernelRepaired")).isEqualTo(1);
    assertThat(told("KernelNotProven")).isZero();
  }

  private void serve() {
    KubernetesClient client = node.client;
    client.services().inNamespace("default").resource(Objects.service(name, VIP)).create();
    client.resource(Objects.slice(name, name, Objects.ready("10.244.0.5"))).create();
    node.startAgent(ApiServer.shared().client());
    node.ask(Step.CLEAN, KubeProxyState.DETACHED);
    node.awaitDone(Step.CLEAN);
    assertThat(PinnedMaps.read(pins())).containsEntry(VIP + ":80", List.of(POD));
  }

  private Path pins() {
    return node.sandbox.bpffs().resolve("pointsman");
  }

  private double readBacks() {
    return node.meters.get("pointsman.verification").timer().count();
  }

  private double count(String counter) {
    return node.meters.get(counter).counter().count();
  }

  private long told(String reason) {
    return node.client.events().v1().events().inNamespace("default").list().getItems().stream()
        .filter(event -> reason.equals(event.getReason()))
        .filter(event -> event.getRegarding().getName().equals("node-" + name))
        .count();
  }
}
