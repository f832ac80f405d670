// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing is said to be gone before it was read that it is. */
@OnSharedApiServer
class AgentLeftoversTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String NAME = "leftovers";
  @TempDir private Path refusals;
  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-leftovers");
    node.createService(NAME, "10.96.78.3", "10.244.0.5");
    // Refuses to delete a table of nftables once for every file in the folder.
    node.before =
        List.of(
            "sh",
            "-c",
            "case \"$*\" in 'nft delete table '*) for each in "
                + refusals
                + "/*; do if [ -e \"$each\" ]; then rm \"$each\"; echo busy >&2; exit 1; fi; done;;"
                + " esac; exec \"$@\"",
            "sh");
    node.startAgent(ApiServer.shared().client());
  }

  @AfterEach
  void end() {
    node.left = List.of();
    node.deleteService(NAME);
    ask(LinuxDataplane.BPF, Step.REMOVE, null);
    node.awaitDone(Step.REMOVE);
    node.close();
  }

  /** The probe was answered by the old table then, and the step was done. */
  @Test
  void kubeProxysTableIsDeletedUntilItIsGone() throws IOException {
    refuse(3);
    prepareBesideKubeProxy();
    ask(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.DETACHED);
    node.awaitDone(Step.ACTIVATE);
    assertThat(tables()).doesNotContain("table ip kube-proxy");
    try (var unused = Files.list(refusals)) {
      assertThat(unused).isEmpty();
    }
  }

  @Test
  void kubeProxysTableIsDeletedByTheNextAgent() throws IOException {
    refuse(1_000);
    prepareBesideKubeProxy();
    ask(LinuxDataplane.IPTABLES, Step.ACTIVATE, KubeProxyState.DETACHED);
    assertThat(awaitLeftovers(Step.ACTIVATE).message).contains("busy");
    node.stopAgent();
    node.before = List.of();
    node.startAgent(ApiServer.shared().client());
    node.awaitDone(Step.ACTIVATE);
    assertThat(tables()).doesNotContain("table ip kube-proxy");
  }

  @Test
  void whatStaysAfterRemoveIsNamedAlsoByTheNextAgent() {
    walk(LinuxDataplane.BPF);
    node.left = List.of("tc filter at ingress of device eth7");
    ask(LinuxDataplane.BPF, Step.REMOVE, null);
    assertThat(awaitLeftovers(Step.REMOVE).message)
        .isEqualTo("Of Pointsman is left: tc filter at ingress of device eth7.");
    assertThat(node.phase()).isEqualTo(Phase.ABSENT);

    node.stopAgent();
    node.startAgent(ApiServer.shared().client());
    node.left = List.of("pins in /sys/fs/bpf/pointsman/v1");
    await()
        .atMost(PATIENCE)
        .until(() -> String.valueOf(node.answer().message).contains("pins in /sys/fs/bpf"));
    node.left = List.of();
    node.awaitDone(Step.REMOVE);
  }

  @Test
  void whatStaysOfTheOneBeforeIsNamed() {
    walk(LinuxDataplane.BPF);
    node.left = List.of("tc filter at ingress of device eth7");
    ask(LinuxDataplane.IPTABLES, Step.CLEAN, KubeProxyState.DETACHED);
    assertThat(awaitLeftovers(Step.CLEAN).message).contains("Of Pointsman is left: tc filter");
    node.left = List.of();
    node.awaitDone(Step.CLEAN);
  }

  /** A crash of an older version, or a hand, has taken what tells of it. */
  @Test
  void whatNothingTellsOfIsTakenAwayToo() {
    node.commands().lines("nft", "add", "table", "ip", "pointsman-flows");
    node.commands().lines("iptables-nft", "-t", "nat", "-N", "STANDIN-SVC-CDGGSHYLG3RE2FKL");
    node.commands().lines("ip6tables-nft", "-N", "STANDIN-FORWARD");
    walk(LinuxDataplane.IPTABLES);
    assertThat(everything()).noneMatch(it -> it.contains("STANDIN") || it.contains("pointsman-"));

    node.commands().lines("ip6tables-nft", "-t", "nat", "-N", "STANDIN-SERVICES");
    ask(LinuxDataplane.IPTABLES, Step.REMOVE, null);
    node.awaitDone(Step.REMOVE);
    assertThat(everything()).noneMatch(it -> it.contains("STANDIN") || it.contains("POINTSMAN"));
  }

  private void prepareBesideKubeProxy() {
    node.commands().lines("nft", "add", "table", "ip", "kube-proxy");
    ask(LinuxDataplane.IPTABLES, Step.PREPARE, KubeProxyState.DETACHED);
    node.awaitDone(Step.PREPARE);
    assertThat(tables()).contains("table ip kube-proxy");
  }

  private void refuse(int times) throws IOException {
    for (int i = 0; i < times; i++) {
      Files.createFile(refusals.resolve(Integer.toString(i)));
    }
  }

  private NodeDataplaneStatus awaitLeftovers(Step step) {
    await()
        .atMost(PATIENCE)
        .until(() -> node.answer().step == step && "LeftoversRemain".equals(node.answer().reason));
    return node.answer();
  }

  private void walk(LinuxDataplane dataplane) {
    ask(dataplane, Step.CLEAN, KubeProxyState.DETACHED);
    node.awaitDone(Step.CLEAN);
  }

  private void ask(LinuxDataplane dataplane, Step step, @Nullable KubeProxyState kubeProxy) {
    node.change(
        spec -> {
          spec.linuxDataplane = dataplane;
          spec.step = step;
          spec.kubeProxy = kubeProxy;
        });
  }

  private List<String> tables() {
    return node.commands().lines("nft", "list", "tables");
  }

  private List<String> everything() {
    return node.commands().lines("nft", "list", "ruleset");
  }
}
