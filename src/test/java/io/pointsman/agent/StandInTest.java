// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.catalogue.Objects;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An agent on a node that kube-proxy is to come back to, with real tables. */
@OnSharedApiServer
class StandInTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String NAME = "stand-in";
  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-stand-in");
    node.client
        .services()
        .inNamespace("default")
        .resource(Objects.service(NAME, "10.96.78.2"))
        .create();
    slices("10.244.0.5");
    node.startAgent(ApiServer.shared().client());
  }

  @AfterEach
  void end() {
    node.deleteService(NAME);
    node.breakStandIn = false;
    ask(LinuxDataplane.IPTABLES, Step.REMOVE, null);
    node.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void servesBeforeTheAnswerAndUntilItIsLeft(boolean killed) {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    assertThat(node.standInPhase()).isEqualTo(Phase.ABSENT);

    ask(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.ATTACHING);
    assertThat(node.standInPhase()).isEqualTo(Phase.ACTIVE);
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ACTIVE);
    if (killed) {
      node.stopAgent();
      node.startAgent(ApiServer.shared().client());
    }
    slices("10.244.0.6");
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(tables()).contains("10.244.0.6:8080"));
    assertThat(tables(":STANDIN-SVC")).isNotEmpty();
    assertThat(tables("-A KUBE-SEP")).as("kube-proxy's by now").noneMatch(to("10.244.0.6:8080"));

    ask(LinuxDataplane.IPTABLES, Step.REMOVE, null);
    assertThat(node.standInPhase()).isEqualTo(Phase.ABSENT);
    assertThat(tables("STANDIN")).isEmpty();
    assertThat(tables("POINTSMAN")).isEmpty();
  }

  @Test
  void goesWhenTheNodeTurnsRound() {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    ask(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.ATTACHING);
    ask(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.DETACHING);
    assertThat(node.standInPhase()).as("kube-proxy may still be there").isEqualTo(Phase.ACTIVE);

    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    assertThat(node.standInPhase()).isEqualTo(Phase.ABSENT);
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ACTIVE);
    assertThat(tables("STANDIN")).isEmpty();
  }

  @Test
  void isMadeForADataplaneThatIsBeingReplaced() {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    ask(LinuxDataplane.BPF, Step.PREPARE, KubeProxyState.DETACHED);

    ask(LinuxDataplane.BPF, Step.PREPARE, KubeProxyState.ATTACHING);
    assertThat(node.standInPhase()).isEqualTo(Phase.ACTIVE);
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ACTIVE);
  }

  @Test
  void bpfNeedsNone() {
    ask(LinuxDataplane.BPF, Step.CLEAN, KubeProxyState.DETACHED);

    ask(LinuxDataplane.BPF, Step.ACTIVATE, KubeProxyState.ATTACHING);
    assertThat(node.standInPhase()).isEqualTo(Phase.ABSENT);
  }

  @Test
  void whatCannotBeMadeIsSaidAndEnds() {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    node.breakStandIn = true;
    change(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.ATTACHING);

    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.FAILED);
    assertThat(node.answer().reason).isEqualTo("StandInFailed");
    assertThat(node.answer().message).contains("no such table");
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ACTIVE);
  }

  private static Predicate<String> to(String backend) {
    return line -> line.contains("--to-destination " + backend);
  }

  private NodeDataplaneStatus ask(
      LinuxDataplane dataplane, Step step, @Nullable KubeProxyState kubeProxy) {
    change(dataplane, step, kubeProxy);
    return node.awaitDone(step);
  }

  private void change(LinuxDataplane dataplane, Step step, @Nullable KubeProxyState kubeProxy) {
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = kubeProxy;
        });
  }

  private String tables() {
    return String.join("\n", tables("STANDIN"));
  }

  private List<String> tables(String word) {
    List<String> lines = new ArrayList<>();
    for (String family : List.of("iptables", "ip6tables")) {
      lines.addAll(node.commands().lines(family + "-nft-save"));
    }
    return lines.stream().filter(line -> line.contains(word)).toList();
  }

  private void slices(String address) {
    node.client
        .resource(Objects.slice(NAME, NAME, Objects.ready(address)))
        .forceConflicts()
        .serverSideApply();
  }
}
