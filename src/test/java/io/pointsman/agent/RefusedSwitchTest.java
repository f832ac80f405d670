// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.catalogue.Objects;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.BpfSources;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.KernelException;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The kernel refuses the dataplane that a node is to go to: the status names what it refused, the
 * one before serves on and follows Services, and the way back leads to it. The refusals are real
 * ones, of this kernel.
 */
@OnSharedApiServer
class RefusedSwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VIP = "10.96.79.1";
  private static final String NAME = "refused";
  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-refused");
    node.client.services().inNamespace("default").resource(Objects.service(NAME, VIP)).create();
    slices("10.244.0.5");
    node.startAgent(ApiServer.shared().client());
    ask(LinuxDataplane.IPTABLES, Step.CLEAN);
    node.awaitDone(Step.CLEAN);
  }

  @AfterEach
  void end() {
    node.refusal = null;
    node.deleteService(NAME);
    node.change(
        spec -> {
          spec.step = Step.REMOVE;
          spec.kubeProxy = null;
        });
    node.awaitDone(Step.REMOVE);
    node.close();
  }

  @Test
  void byTheVerifier() {
    assertThat(refusedWith(RefusedSwitchTest::verifier).message)
        .contains("load object probe: EACCES", "map_value_or_null");
    backAgain();
  }

  @Test
  void byNetlink() {
    assertThat(refusedWith(RefusedSwitchTest::netlink).message).contains("a-name-that-is-too-long");
    backAgain();
  }

  /** A failure stays as long as somebody serves the node, which a reboot ends. */
  @Test
  void afterARebootAnotherAgentTriesAgain() {
    refusedWith(RefusedSwitchTest::netlink);
    node.stopAgent();
    node.refusal = null;
    node.startAgent(ApiServer.shared().client());
    slices("10.244.0.6");
    awaitServed("10.244.0.6:8080");
    assertThat(node.answer().result).isEqualTo(StepResult.FAILED);

    node.stopAgent();
    node.lose(LinuxDataplane.IPTABLES);
    node.startAgent(ApiServer.shared().client());
    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.DONE);
    assertThat(node.phase()).isEqualTo(Phase.PREPARED);
  }

  /** This program is not what the verifier takes. */
  private static KernelException verifier() {
    byte[] elf = BpfSources.compile("src/test/resources/bpf/probe.bpf.c");
    try (BpfObject object = BpfObject.open("probe", elf, BpfObject.Options.NONE)) {
      return catchThrowableOfType(BpfException.class, object::load);
    }
  }

  private static KernelException netlink() {
    try (DummyDevice device = new DummyDevice("a-name-that-is-too-long")) {
      return catchThrowableOfType(KernelException.class, device::create);
    }
  }

  private NodeDataplaneStatus refusedWith(Supplier<KernelException> refusal) {
    KernelException refused = node.sandbox.inNamespace(refusal::get);
    node.refusal = new DataplaneException("prepare: " + refused.getMessage(), refused);
    ask(LinuxDataplane.BPF, Step.PREPARE);
    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.FAILED);
    NodeDataplaneStatus status = node.answer();
    assertThat(status.step).isEqualTo(Step.PREPARE);
    assertThat(status.reason).isEqualTo("DataplaneFailed");
    return status;
  }

  private void backAgain() {
    assertThat(node.phase()).isEqualTo(Phase.ABSENT);
    assertThat(node.phase(LinuxDataplane.IPTABLES)).isEqualTo(Phase.ACTIVE);
    slices("10.244.0.6");
    awaitServed("10.244.0.6:8080");
    ask(LinuxDataplane.IPTABLES, Step.CLEAN);
    assertThat(node.awaitDone(Step.CLEAN).proven).isTrue();
  }

  private void awaitServed(String backend) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(node.served(LinuxDataplane.IPTABLES))
                    .containsEntry(VIP + ":80", List.of(backend)));
  }

  private void ask(LinuxDataplane dataplane, Step step) {
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = KubeProxyState.DETACHED;
        });
  }

  private void slices(String address) {
    node.client
        .resource(Objects.slice(NAME, NAME, Objects.ready(address)))
        .forceConflicts()
        .serverSideApply();
  }
}
