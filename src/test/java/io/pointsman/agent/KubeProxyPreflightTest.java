// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What preflight says of the kube-proxy that a node is to be taken from. */
@OnSharedApiServer
class KubeProxyPreflightTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String SERVICE = "behind";
  private static final String RULE = "10.96.77.2/32";

  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-behind");
    node.createService(SERVICE, "10.96.77.2", "10.244.0.5");
  }

  @AfterEach
  void end() {
    node.deleteService(SERVICE);
    node.close();
  }

  @Test
  void aKubeProxyThatServesIsNoFinding() {
    KubeProxyRules.write(node);
    NodeDataplaneStatus status = preflight();
    assertThat(status.result).isEqualTo(StepResult.DONE);
    assertThat(status.preflight).noneMatch(it -> it.reason.startsWith("KubeProxy"));
  }

  @Test
  void aKubeProxyThatIsBehindBlocksUntilItHasFollowed() {
    KubeProxyRules.write(node);
    node.commands()
        .run(
            List.of(
                "sh",
                "-ec",
                "iptables-nft -t nat -D KUBE-SERVICES $(iptables-nft -t nat -L KUBE-SERVICES -n"
                    + " --line-numbers | grep 10.96.77.2 | cut -d' ' -f1)"),
            "",
            line -> {});
    assertThat(node.commands().lines("iptables-nft-save")).noneMatch(it -> it.contains(RULE));
    NodeDataplaneStatus status = preflight();
    assertThat(status.result).isEqualTo(StepResult.FAILED);
    assertThat(status.reason).isEqualTo("KubeProxyBehind");
    assertThat(status.message).contains("default/behind:http: 10.96.77.2:80/TCP is missing.");
    assertThat(finding(status)).map(it -> it.severity).contains(Severity.BLOCKING);
    assertThat(node.phase()).isEqualTo(Phase.ABSENT);

    KubeProxyRules.write(node);
    node.change(spec -> spec.attempt = spec.attempt + 1);
    await().atMost(PATIENCE).until(() -> node.answer().result == StepResult.DONE);
    assertThat(finding(node.answer())).isEmpty();
  }

  @Test
  void whatOtherModesHaveLeftIsNamed() {
    KubeProxyRules.write(node);
    node.commands().lines("nft", "add table ip kube-proxy");
    node.commands().lines("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
    NodeDataplaneStatus status = preflight();
    assertThat(status.result).isEqualTo(StepResult.DONE);
    assertThat(status.preflight)
        .filteredOn(it -> it.reason.equals("KubeProxyLeftovers"))
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.severity).isEqualTo(Severity.WARNING);
              assertThat(it.message)
                  .contains("iptables mode", "table ip kube-proxy", "ipset KUBE-CLUSTER-IP");
            });
  }

  /** Clean takes it away there, too, and nobody had been told. */
  @ParameterizedTest
  @EnumSource(
      value = LinuxDataplane.class,
      names = {"BPF", "IPTABLES"})
  void whatIsLeftIsNamedWhereNobodyManagesKubeProxy(LinuxDataplane to) throws IOException {
    node.commands().lines("nft", "add table ip kube-proxy");
    node.commands().lines("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
    Files.createDirectories(node.sandbox.bpffs().resolve("tc/globals/cali_jump"));
    node.startAgent(ApiServer.shared().client());
    ask(to, Step.PREFLIGHT, null);
    NodeDataplaneStatus status = node.awaitDone(Step.PREFLIGHT);
    assertThat(messages(status, "KubeProxyLeftovers"))
        .singleElement(STRING)
        .contains("has left", "table ip kube-proxy", "ipset KUBE-CLUSTER-IP");
    assertThat(messages(status, "ForeignPins"))
        .singleElement(STRING)
        .contains("tc/globals/cali_jump");
  }

  @Test
  void whatADataplaneOfOursHasIsNotTakenForKubeProxys() {
    node.startAgent(ApiServer.shared().client());
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, null);
    node.awaitDone(Step.CLEAN);
    assertThat(node.commands().lines("iptables-nft-save")).anyMatch(it -> it.contains("KUBE-SVC"));
    ask(LinuxDataplane.BPF, Step.PREFLIGHT, null);
    assertThat(messages(node.awaitDone(Step.PREFLIGHT), "KubeProxyLeftovers")).isEmpty();
    ask(LinuxDataplane.BPF, Step.REMOVE, null);
    node.awaitDone(Step.REMOVE);
  }

  @Test
  void aNodeWithoutKubeProxyIsWarnedOf() {
    node.commands().lines("sysctl", "-w", "net.ipv4.ip_forward=0");
    NodeDataplaneStatus status = preflight();
    assertThat(status.result).isEqualTo(StepResult.DONE);
    assertThat(status.preflight).anyMatch(it -> it.reason.equals("ForwardingOff"));
    assertThat(status.preflight).anyMatch(it -> it.reason.equals("KubeProxyAbsent"));
  }

  private void ask(LinuxDataplane dataplane, Step step, @Nullable KubeProxyState kubeProxy) {
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = kubeProxy;
        });
  }

  private static List<String> messages(NodeDataplaneStatus status, String reason) {
    return status.preflight.stream()
        .filter(it -> it.reason.equals(reason))
        .map(it -> it.message)
        .toList();
  }

  private NodeDataplaneStatus preflight() {
    node.startAgent(ApiServer.shared().client());
    node.ask(Step.PREFLIGHT, KubeProxyState.ATTACHED);
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              StepResult result = node.answer().result;
              return result == StepResult.DONE || result == StepResult.FAILED;
            });
    return node.answer();
  }

  private static Optional<PreflightFinding> finding(NodeDataplaneStatus status) {
    return status.preflight.stream().filter(it -> it.reason.equals("KubeProxyBehind")).findFirst();
  }
}
