// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.Objects;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** An agent with a real API server above and real BPF, iptables and nftables below. */
@OnSharedApiServer
class AgentTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VIP = "10.96.77.1";
  private NodeFixture node;
  private String service;

  @BeforeEach
  void start(TestInfo info) {
    String test = info.getTestMethod().orElseThrow().getName().toLowerCase(Locale.ROOT);
    service = test.substring(0, Math.min(test.length(), 40));
    node = new NodeFixture(ApiServer.shared(), "node-" + service);
    node.client.services().inNamespace("default").resource(web()).create();
    slices(Objects.ready("10.244.0.5"));
  }

  @AfterEach
  void end() {
    node.deleteService(service);
    node.close();
  }

  @Test
  void walksThereAndBack() {
    restoreRules();
    node.startAgent(ApiServer.shared().client());
    for (Step step : List.of(Step.PREFLIGHT, Step.PREPARE, Step.ACTIVATE)) {
      node.ask(step, KubeProxyState.ATTACHED);
      NodeDataplaneStatus status = awaitDone(step);
      assertThat(status.catalogueDigest).hasSize(32);
      SwitchPlan plan = requireNonNull(status.plan);
      assertThat(plan.entriesToWrite).isGreaterThan(4);
      assertThat(plan.entriesToRemove).as("kube-proxy's rules").isGreaterThan(20);
      assertThat(plan.steps).hasSizeGreaterThan(4);
      assertThat(node.phase()).isEqualTo(phaseAfter(step));
    }
    NodeDataplaneStatus active = node.answer();
    assertThat(active.proven).isTrue();
    assertThat(active.kernelDigest).isEqualTo(active.desiredDigest);
    assertThat(active.catalogueDigest).isEqualTo(active.desiredDigest);
    assertThat(kernel()).containsEntry(VIP + ":80", List.of("10.244.0.5:8080"));

    node.ask(Step.CLEAN, KubeProxyState.DETACHING);
    await().atMost(PATIENCE).until(() -> "WaitingForKubeProxyToLeave".equals(node.answer().reason));
    assertThat(node.commands().lines("iptables-nft-save")).anyMatch(l -> l.contains("KUBE-SVC-"));
    node.ask(Step.CLEAN, KubeProxyState.DETACHED);
    assertThat(awaitDone(Step.CLEAN).plan).isNull();
    assertThat(node.commands().lines("iptables-nft-save"))
        .filteredOn(l -> l.contains("KUBE-"))
        .as("the kubelet's own stays")
        .allMatch(l -> l.contains("KUBE-FIREWALL"));

    node.ask(Step.REMOVE, KubeProxyState.ATTACHED);
    await().atMost(PATIENCE).until(() -> "WaitingForKubeProxyRules".equals(node.answer().reason));
    assertThat(node.phase()).as("no rules, so it serves on").isEqualTo(Phase.ACTIVE);
    restoreRules();
    awaitDone(Step.REMOVE);
    assertThat(node.phase()).isEqualTo(Phase.ABSENT);
    assertThat(node.answer().proven).isFalse();
  }

  @Test
  void followsTheCluster() {
    Agent agent = walkTo(Step.CLEAN);
    slices(Objects.ready("10.244.0.5"), Objects.ready("10.244.0.6"));
    awaitKernel(VIP + ":80", "10.244.0.5:8080", "10.244.0.6:8080");
    slices();
    awaitKernel(VIP + ":80");
    node.client.services().inNamespace("default").withName(service).delete();
    await().atMost(PATIENCE).until(() -> !kernel().containsKey(VIP + ":80"));
    assertThat(node.meters.get("pointsman.programming.latency").timer().count()).isPositive();
    assertThat(node.meters.get("pointsman.proven").gauge().value()).isEqualTo(1);
    assertThat(agent.health().ready().up()).isTrue();
    assertThat(agent.health().live().up()).isTrue();
    assertThat(agent.health().started().up()).isTrue();
    assertThat(agent.probeAnswer()).isEqualTo("node-" + service);
  }

  @Test
  void theNextAgentWritesNothing() {
    walkTo(Step.CLEAN);
    Map<String, List<String>> before = kernel();
    node.stopAgent();
    assertThat(node.phase()).as("the kernel serves without an agent").isEqualTo(Phase.ACTIVE);
    node.preparations.clear();

    Agent next = node.startAgent(ApiServer.shared().client());
    await().atMost(PATIENCE).until(() -> next.health().ready().up());
    assertThat(node.preparations).containsExactly(SyncResult.NONE);
    assertThat(kernel()).isEqualTo(before);
    assertThat(awaitDone(Step.CLEAN).proven).isTrue();
  }

  @Test
  void keepsTheKernelWhenItsResourceIsDeletedByHand() {
    walkTo(Step.CLEAN);
    node.client.resource(requireNonNull(node.resource())).delete();
    await().atMost(PATIENCE).until(() -> node.resource() == null);
    slices(Objects.ready("10.244.0.9"));
    awaitKernel(VIP + ":80", "10.244.0.9:8080");
    assertThat(node.phase()).isEqualTo(Phase.ACTIVE);
    // The operator makes it anew and walks it from the beginning.
    for (Step step : List.of(Step.PREFLIGHT, Step.PREPARE, Step.ACTIVATE)) {
      node.ask(step, KubeProxyState.DETACHED);
      awaitDone(step);
      assertThat(node.phase()).isEqualTo(Phase.ACTIVE);
    }
  }

  @Test
  void servesOnWithoutAnApiServer() {
    walkTo(Step.CLEAN);
    Map<String, List<String>> before = kernel();
    node.stopAgent();
    KubernetesClient nobody =
        new KubernetesClientBuilder()
            .withConfig(
                new ConfigBuilder(Config.empty())
                    .withMasterUrl("https://127.0.0.1:1")
                    .withRequestRetryBackoffLimit(0)
                    .build())
            .build();
    Agent lost = node.startAgent(nobody);
    await().atMost(PATIENCE).until(() -> lost.health().started().up());
    assertThat(lost.health().ready().up()).isFalse();
    node.stopAgent();
    assertThat(node.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(kernel()).isEqualTo(before);
  }

  @Test
  void aFailedStepStaysFailedUntilItIsAskedAgain() {
    node.startAgent(ApiServer.shared().client());
    node.change(
        spec -> {
          spec.step = Step.PREPARE;
          spec.kubeProxy = KubeProxyState.ATTACHED;
          spec.scheduler = Scheduler.WLC;
        });
    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.FAILED);
    assertThat(node.answer().message).contains("choose random or rr");
    assertThat(node.phase()).isEqualTo(Phase.ABSENT);
    node.change(
        spec -> {
          spec.scheduler = Scheduler.RANDOM;
          spec.attempt = spec.attempt + 1;
        });
    assertThat(awaitDone(Step.PREPARE).attempt).isEqualTo(1);
  }

  /** What cannot be read back because it could not be written takes no turn of its own. */
  @Test
  void aKernelThatTakesNothingIsTriedNowAndThen() {
    walkTo(Step.CLEAN);
    node.change(spec -> spec.verification.intervalSeconds = 1);
    awaitDone(Step.CLEAN);
    node.kernel.broken = true;
    slices(Objects.ready("10.244.0.6"));
    await().atMost(PATIENCE).until(() -> node.kernel.repairs.get() > 0);
    int before = node.kernel.looks.get();
    await().atMost(PATIENCE).until(() -> node.kernel.repairs.get() > 2);
    assertThat(node.kernel.looks.get() - before).isLessThan(500);

    node.kernel.broken = false;
    awaitKernel(VIP + ":80", "10.244.0.6:8080");
  }

  @Test
  void aSteadyNodeWritesNothing() {
    walkTo(Step.CLEAN);
    double proofs = verifications();
    String version = version();
    await().atMost(PATIENCE).until(() -> verifications() >= proofs + 3);
    assertThat(version()).isEqualTo(version);
  }

  private double verifications() {
    return node.meters.get("pointsman.verification").timer().count();
  }

  private String version() {
    return requireNonNull(node.resource()).getMetadata().getResourceVersion();
  }

  private Agent walkTo(Step step) {
    Agent agent = node.startAgent(ApiServer.shared().client());
    node.ask(step, KubeProxyState.DETACHED);
    awaitDone(step);
    return agent;
  }

  private NodeDataplaneStatus awaitDone(Step step) {
    return node.awaitDone(step);
  }

  private static Phase phaseAfter(Step step) {
    return switch (step) {
      case PREFLIGHT, REMOVE -> Phase.ABSENT;
      case PREPARE -> Phase.PREPARED;
      case ACTIVATE, CLEAN -> Phase.ACTIVE;
      case DRAIN -> Phase.DRAINING;
    };
  }

  private void awaitKernel(String frontend, String... backends) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(kernel()).containsEntry(frontend, List.of(backends)));
  }

  /** The pinned maps as another program reads them. */
  private Map<String, List<String>> kernel() {
    return PinnedMaps.read(pins());
  }

  private Service web() {
    return Objects.service(service, VIP);
  }

  private void slices(Endpoint... endpoints) {
    EndpointSlice slice = Objects.slice(service, service, endpoints);
    node.client.resource(slice).forceConflicts().serverSideApply();
  }

  /** Rules as kube-proxy writes them in iptables mode, for every Service there is. */
  private void restoreRules() {
    KubeProxyRules.write(node);
  }

  private Path pins() {
    return node.sandbox.bpffs().resolve("pointsman");
  }
}
