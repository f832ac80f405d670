// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.pointsman.e2e.Plugin.Ended;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A person proves the kube-proxy of a cluster that has nothing of Pointsman but its image. */
@Tag("lab")
@ResourceLock(value = TestCluster.ALONE, mode = ResourceAccessMode.READ)
@Order(TestCluster.TOGETHER)
@OnlyInLab("kube-proxy's rules are broken on purpose")
class VerifyTest {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  @TempDir private static Path home;

  @ParameterizedTest
  @EnumSource(
      value = KubeProxyMode.class,
      names = {"IPTABLES", "NFTABLES"})
  void aKubeProxyIsProvenAndWhatIsBrokenIsNamed(KubeProxyMode mode) {
    String name = "verify-" + mode.configuration();
    LabOptions options = LabOptions.named(name).withNodes(2).withKubeProxyMode(mode);
    try (TestCluster cluster = TestCluster.inLab(options)) {
      Plugin plugin = Plugin.install(cluster, home);
      WebLoad.deploy(cluster);
      // What gets ready after kube-proxy was stopped, kube-proxy does not serve.
      ClusterDns.await(cluster);

      Ended clean = plugin.run(command());
      assertThat(clean.exit()).as(clean.toString()).isZero();
      assertThat(clean.out())
          .containsPattern("node-1 +" + mode.configuration() + " .* served exactly")
          .containsPattern("node-2 +" + mode.configuration() + " .* served exactly")
          .containsPattern("default/web.*2/2 +served exactly");
      awaitNothingLeft(cluster);

      stopKubeProxy(cluster);
      String address = web(cluster);
      cluster.onNode("node-2", "sh", "-ec", breaking(mode, address));
      Ended broken = plugin.run(command("--settle=5"));
      assertThat(broken.exit()).as(broken.toString()).isEqualTo(1);
      assertThat(broken.out())
          .containsPattern("node-1 .* served exactly")
          .containsPattern("node-2 .* differs")
          .contains("node-2   missing")
          .contains(address + ":80/TCP is missing");
      Ended other = plugin.run(command("--node=node-1"));
      assertThat(other.exit()).as(other.toString()).isZero();
      interrupt(cluster, plugin);
      awaitNothingLeft(cluster);
      System.out.println(broken);
    }
  }

  /** Ctrl-C while it waits for a difference to go. */
  private static void interrupt(TestCluster cluster, Plugin plugin) {
    Process process = plugin.start(command("--settle=300"));
    await()
        .atMost(LIMIT)
        .until(
            () ->
                pods(cluster).stream()
                    .anyMatch(pod -> "Running".equals(pod.getStatus().getPhase())));
    assertThat(process.isAlive()).isTrue();
    Plugin.interrupt(process);
    await().atMost(LIMIT).until(() -> !process.isAlive());
  }

  /** Ended with -9 or not at all, kube-proxy would mend what is broken here. */
  private static void stopKubeProxy(TestCluster cluster) {
    cluster.kubectl(
        "-n",
        "kube-system",
        "patch",
        "daemonset/kube-proxy",
        "-p={\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"none\":\"such\"}}}}}");
    await().atMost(LIMIT).until(() -> new Walk(cluster).kubeProxyPods().isEmpty());
  }

  private static String web(TestCluster cluster) {
    return cluster
        .client()
        .services()
        .inNamespace("default")
        .withName("web")
        .require()
        .getSpec()
        .getClusterIP();
  }

  private static String breaking(KubeProxyMode mode, String address) {
    return switch (mode) {
      case IPTABLES ->
          "rule=$(iptables-save -t nat | grep '^-A KUBE-SERVICES -d %s/32.* 80 '); "
                  .formatted(address)
              + "printf '*nat\\n%s\\nCOMMIT\\n' \"$(echo \"$rule\" | sed 's/^-A/-D/')\""
              + " | iptables-restore --noflush";
      case NFTABLES ->
          "nft delete element ip kube-proxy service-ips '{ %s . tcp . 80 }'".formatted(address);
      case IPVS -> "ipvsadm -D -t %s:80".formatted(address);
    };
  }

  private static void awaitNothingLeft(TestCluster cluster) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              assertThat(cluster.client().batch().v1().jobs().inAnyNamespace().list().getItems())
                  .isEmpty();
              assertThat(pods(cluster)).isEmpty();
            });
  }

  private static List<Pod> pods(TestCluster cluster) {
    return cluster
        .client()
        .pods()
        .inAnyNamespace()
        .withLabel("app.kubernetes.io/component", "verify")
        .list()
        .getItems();
  }

  private static String[] command(String... options) {
    List<String> command =
        new ArrayList<>(List.of("verify", "kube-proxy", "--image=" + TestImages.LOADED.product()));
    command.addAll(List.of(options));
    return command.toArray(String[]::new);
  }
}
