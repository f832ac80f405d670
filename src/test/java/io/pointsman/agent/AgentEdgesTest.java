// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Objects;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.HostAddresses;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An agent that goes from one dataplane of ours to another, both real, in one kernel. */
@OnSharedApiServer
class AgentEdgesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VIP = "10.96.78.1";
  private static final String NAME = "edges";
  private NodeFixture node;

  @BeforeEach
  void start(TestInfo info) {
    node = new NodeFixture(ApiServer.shared(), "node-edges");
    node.client.services().inNamespace("default").resource(Objects.service(NAME, VIP)).create();
    slices("10.244.0.5");
    node.startAgent(ApiServer.shared().client());
  }

  @AfterEach
  void end() {
    node.deleteService(NAME);
    ask(LinuxDataplane.BPF, Step.REMOVE);
    node.close();
  }

  @ParameterizedTest
  @CsvSource({"BPF, IPTABLES", "IPTABLES, BPF"})
  void theOneBeforeServesUntilTheNextDoes(LinuxDataplane before, LinuxDataplane next) {
    ask(before, Step.CLEAN);
    assertThat(node.phase(before)).isEqualTo(Phase.ACTIVE);

    ask(next, Step.PREPARE);
    assertThat(node.phase(before)).isEqualTo(Phase.ACTIVE);
    assertThat(node.phase(next)).isEqualTo(Phase.PREPARED);
    slices("10.244.0.6");
    awaitServed(before, "10.244.0.6:8080");

    ask(next, Step.ACTIVATE);
    assertThat(node.phase(before)).isEqualTo(Phase.DRAINING);
    assertThat(node.phase(next)).isEqualTo(Phase.ACTIVE);
    slices("10.244.0.7");
    awaitServed(next, "10.244.0.7:8080");

    NodeDataplaneStatus status = ask(next, Step.CLEAN);
    assertThat(node.phase(before)).isEqualTo(Phase.ABSENT);
    assertThat(node.phase(next)).isEqualTo(Phase.ACTIVE);
    assertThat(status.proven).isTrue();
    assertThat(status.kernelDigest).isEqualTo(status.desiredDigest);
    assertThat(status.kernelSettings)
        .extracting(setting -> setting.name + " " + setting.value + " " + setting.before)
        .isEqualTo(
            next == LinuxDataplane.IPTABLES
                ? List.of("net.ipv4.conf.all.route_localnet 1 0")
                : List.of());
  }

  @ParameterizedTest
  @CsvSource({"BPF, true", "IPTABLES, false"})
  void whatKubeProxyLeftInNftablesTakesNothingFromIptables(LinuxDataplane next, boolean beside) {
    for (String family : List.of("ip", "ip6")) {
      node.commands().lines("nft", "add", "table", family, "kube-proxy");
    }
    node.commands().lines("nft", "add", "table", "inet", "mine");
    ask(next, Step.PREPARE);
    assertThat(tables()).contains("table ip kube-proxy", "table ip6 kube-proxy");

    ask(next, Step.ACTIVATE);
    assertThat(tables().contains("table ip kube-proxy")).isEqualTo(beside);
    assertThat(tables().contains("table ip6 kube-proxy")).isEqualTo(beside);

    ask(next, Step.CLEAN);
    assertThat(tables()).contains("table inet mine").doesNotContain("table ip kube-proxy");
  }

  private List<String> tables() {
    return node.commands().lines("nft", "list", "tables");
  }

  @ParameterizedTest
  @CsvSource({
    "BPF, IPTABLES, PREPARE",
    "BPF, IPTABLES, ACTIVATE",
    "IPTABLES, BPF, PREPARE",
    "IPTABLES, BPF, ACTIVATE"
  })
  void turnsRoundFromAnywhereAndAfterACrash(
      LinuxDataplane before, LinuxDataplane next, Step reached) {
    ask(before, Step.CLEAN);
    ask(next, reached);
    node.stopAgent();
    node.startAgent(ApiServer.shared().client());
    slices("10.244.0.8");

    NodeDataplaneStatus status = ask(before, Step.CLEAN);
    assertThat(node.phase(before)).isEqualTo(Phase.ACTIVE);
    assertThat(node.phase(next)).isEqualTo(Phase.ABSENT);
    assertThat(status.proven).isTrue();
    awaitServed(before, "10.244.0.8:8080");
  }

  @ParameterizedTest
  @CsvSource({"BPF, IPTABLES, PREPARE", "IPTABLES, BPF, ACTIVATE"})
  void goingBackTakesEverythingOut(LinuxDataplane before, LinuxDataplane next, Step reached) {
    ask(before, Step.CLEAN);
    ask(next, reached);

    ask(next, Step.REMOVE);
    assertThat(node.phase(before)).isEqualTo(Phase.ABSENT);
    assertThat(node.phase(next)).isEqualTo(Phase.ABSENT);
  }

  @ParameterizedTest
  @CsvSource({
    "BPF, IPTABLES, PREFLIGHT",
    "IPTABLES, BPF, PREFLIGHT",
    "BPF, IPTABLES, PREPARE",
    "IPTABLES, BPF, PREPARE"
  })
  void afterARebootWhatTheWalkBeganOnServesAgain(
      LinuxDataplane before, LinuxDataplane next, Step reached) {
    ask(before, Step.CLEAN);
    begin(next, spec -> spec.step = reached);
    node.awaitDone(reached);
    node.stopAgent();
    node.lose(before);
    node.lose(next);

    node.startAgent(ApiServer.shared().client());
    await().atMost(PATIENCE).until(() -> node.phase(before), Phase.ACTIVE::equals);
    slices("10.244.0.9");
    awaitServed(before, "10.244.0.9:8080");
    assertThat(node.awaitDone(reached).step).isEqualTo(reached);
    assertThat(node.phase(next)).isNotEqualTo(Phase.ACTIVE);
  }

  @Test
  void afterARebootItServesAgainAlsoWherePreflightHasFailed() {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN);
    begin(
        LinuxDataplane.BPF,
        spec -> {
          spec.step = Step.PREFLIGHT;
          spec.scheduler = Scheduler.WLC;
        });
    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.FAILED);
    node.stopAgent();
    node.lose(LinuxDataplane.IPTABLES);

    node.startAgent(ApiServer.shared().client());
    await().atMost(PATIENCE).until(() -> node.phase(LinuxDataplane.IPTABLES), Phase.ACTIVE::equals);
    awaitServed(LinuxDataplane.IPTABLES, "10.244.0.5:8080");
    node.change(spec -> spec.scheduler = Scheduler.RR); // which it can go back with
  }

  /** Whoever takes over what another agent left knows what it was opened with. */
  @Test
  void untilTheNextServesTheOneBeforeKeepsItsScheduler() {
    ask(LinuxDataplane.IPTABLES, Step.CLEAN);
    node.change(spec -> spec.scheduler = Scheduler.RANDOM);
    node.awaitDone(Step.CLEAN);
    begin(
        LinuxDataplane.BPF,
        spec -> {
          spec.step = Step.PREFLIGHT;
          spec.scheduler = Scheduler.RR;
        });
    node.awaitDone(Step.PREFLIGHT);
    node.stopAgent();

    node.startAgent(ApiServer.shared().client());
    slices("10.244.0.7", "10.244.0.8");
    awaitServed(LinuxDataplane.IPTABLES, "10.244.0.7:8080", "10.244.0.8:8080");
    assertThat(node.commands().lines("iptables-save", "-t", "nat"))
        .anyMatch(rule -> rule.contains("--mode random"))
        .noneMatch(rule -> rule.contains("--mode nth"));
  }

  @Test
  void untilTheNextServesTheOneBeforeKeepsItsNodePortAddresses() {
    // The agent asks for those of this machine.
    Address own = ipv4OfThisMachine();
    ask(LinuxDataplane.BPF, Step.CLEAN);
    node.change(spec -> spec.nodePort.addresses = List.of(own + "/32"));
    node.awaitDone(Step.CLEAN);
    begin(
        LinuxDataplane.IPTABLES,
        spec -> {
          spec.step = Step.PREFLIGHT;
          spec.nodePort.addresses = List.of("198.51.100.0/24"); // nobody's
        });
    node.awaitDone(Step.PREFLIGHT);
    assertThat(node.kernel.nodePortAddresses).contains(own);
    node.stopAgent();
    node.kernel.nodePortAddresses = Set.of();

    node.startAgent(ApiServer.shared().client());
    slices("10.244.0.7");
    awaitServed(LinuxDataplane.BPF, "10.244.0.7:8080");
    assertThat(node.kernel.nodePortAddresses).contains(own);
  }

  private static Address ipv4OfThisMachine() {
    return HostAddresses.read().stream()
        .filter(address -> address.family() == IpFamily.IPV4)
        .findFirst()
        .orElseThrow();
  }

  /** A walk, or a look, begins on what is there. */
  private void begin(LinuxDataplane next, Consumer<NodeDataplaneSpec> change) {
    node.edit(
        resource -> {
          String origin = Serialization.asJson(resource.getSpec());
          resource.getMetadata().setAnnotations(Map.of(NodeDataplane.ORIGIN, origin));
          resource.getSpec().linuxDataplane = next;
          change.accept(resource.getSpec());
        });
  }

  /** Nobody manages kube-proxy here, so there is no answer to wait for on the way back. */
  private NodeDataplaneStatus ask(LinuxDataplane dataplane, Step step) {
    boolean back = step == Step.REMOVE;
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = back ? null : KubeProxyState.DETACHED;
        });
    return node.awaitDone(step);
  }

  private void awaitServed(LinuxDataplane dataplane, String... backends) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(node.served(dataplane)).containsEntry(VIP + ":80", List.of(backends)));
  }

  private void slices(String... addresses) {
    node.client
        .resource(
            Objects.slice(
                NAME, NAME, Stream.of(addresses).map(Objects::ready).toArray(Endpoint[]::new)))
        .forceConflicts()
        .serverSideApply();
  }
}
