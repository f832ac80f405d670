// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.FlowTuple;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A flow in conntrack that is only forwarded because of a rule of the dataplane that leaves. */
@OnSharedApiServer
class AgentDrainTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String NAME = "drains";
  private static final int TCP = 6;
  private static final int HOUR = 3_600;
  private static final InetAddress CLIENT = InetAddress.ofLiteral("10.244.9.9");
  private static final FlowTuple ORIGINAL =
      new FlowTuple(CLIENT, 40_000, InetAddress.ofLiteral("10.96.78.4"), 80, TCP);
  private static final FlowTuple REPLY =
      new FlowTuple(InetAddress.ofLiteral("10.244.0.5"), 8080, CLIENT, 40_000, TCP);

  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-drains");
    node.createService(NAME, "10.96.78.4", "10.244.0.5");
    node.commands().lines("iptables-nft", "-P", "FORWARD", "DROP");
    node.startAgent(ApiServer.shared().client());
    change(LinuxDataplane.IPTABLES, Step.CLEAN, 0);
    node.awaitDone(Step.CLEAN);
    conntrack(table -> table.addTranslated(ORIGINAL, REPLY, false, HOUR));
  }

  @AfterEach
  void end() {
    node.deleteService(NAME);
    change(LinuxDataplane.BPF, Step.REMOVE, 0);
    node.awaitDone(Step.REMOVE);
    node.close();
  }

  @ParameterizedTest
  @CsvSource({"BPF, CLEAN, CLEAN", "IPTABLES, REMOVE, DRAIN"})
  void aFlowThatDoesNotEndGetsItsTimeAndNoMore(LinuxDataplane to, Step step, Step told)
      throws Exception {
    CompletableFuture<?> waited = node.onceAnswered(status -> drains(status, told));
    change(to, step, 3);
    NodeDataplaneStatus status = node.awaitDone(step);
    assertThat(waited).succeedsWithin(PATIENCE);
    assertThat(status.drainingFlows).isNull();
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ABSENT);
    assertThat(flows()).as("conntrack is left alone").isOne();
  }

  @ParameterizedTest
  @CsvSource({"BPF, CLEAN, CLEAN", "IPTABLES, REMOVE, DRAIN"})
  void aFlowThatEndsIsNotWaitedForAnyLonger(LinuxDataplane to, Step step, Step told) {
    int day = (int) TimeUnit.DAYS.toSeconds(1);
    change(to, step, day);
    await().atMost(PATIENCE).until(() -> drains(node.answer(), told));
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.DRAINING);
    conntrack(table -> table.delete(ORIGINAL));
    assertThat(node.awaitDone(step).drainingFlows).isNull();
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ABSENT);
  }

  private static boolean drains(NodeDataplaneStatus status, Step told) {
    return status.step == told
        && "Draining".equals(status.reason)
        && Long.valueOf(1).equals(status.drainingFlows);
  }

  private void change(LinuxDataplane dataplane, Step step, int drainSeconds) {
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = step == Step.REMOVE ? null : KubeProxyState.DETACHED;
          spec.drainSeconds = drainSeconds;
        });
  }

  private void conntrack(Consumer<Conntrack> change) {
    node.sandbox.runInNamespace(
        () -> {
          try (Conntrack table = new Conntrack()) {
            change.accept(table);
            table.flush();
          }
        });
  }

  private int flows() {
    return node.sandbox.inNamespace(
        () -> {
          try (Conntrack table = new Conntrack()) {
            return table.read(false, flow -> flow.original().equals(ORIGINAL)).size();
          }
        });
  }
}
