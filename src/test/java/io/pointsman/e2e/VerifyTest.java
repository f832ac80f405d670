// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A person proves the kube-proxy of a cluster that has nothing of Pointsman but its image. */
@Tag("lab")
@OnlyInLab("kube-proxy's rules are broken on purpose")
class VerifyTest {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  @TempDir private static Path home;

  private record Ended(int exit, String out, String err) {
    @Override
    public String toString() {
      return "exit " + exit + "\n" + out + err;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = KubeProxyMode.class,
      names = {"IPTABLES", "NFTABLES"})
  void aKubeProxyIsProvenAndWhatIsBrokenIsNamed(KubeProxyMode mode) {
    String name = "verify-" + mode.configuration();
    LabOptions options = LabOptions.named(name).withNodes(2).withKubeProxyMode(mode);
    try (TestCluster cluster = TestCluster.inLab(options)) {
      Ended installed = run(List.of("scripts/install-plugin", home.toString()), cluster);
      assertThat(installed.exit()).as(installed.toString()).isZero();
      WebLoad.deploy(cluster);

      Ended clean = verify(cluster);
      assertThat(clean.exit()).as(clean.toString()).isZero();
      assertThat(clean.out())
          .containsPattern("node-1 +" + mode.configuration() + " .* served exactly")
          .containsPattern("node-2 +" + mode.configuration() + " .* served exactly")
          .containsPattern("default/web.*2/2 +served exactly");
      awaitNothingLeft(cluster);

      stopKubeProxy(cluster);
      String address = web(cluster);
      cluster.onNode("node-2", "sh", "-ec", breaking(mode, address));
      Ended broken = verify(cluster, "--settle=5");
      assertThat(broken.exit()).as(broken.toString()).isEqualTo(1);
      assertThat(broken.out())
          .containsPattern("node-1 .* served exactly")
          .containsPattern("node-2 .* differs")
          .contains("node-2   missing")
          .contains(address + ":80/TCP is missing");
      Ended other = verify(cluster, "--node=node-1");
      assertThat(other.exit()).as(other.toString()).isZero();
      interrupt(cluster);
      awaitNothingLeft(cluster);
      System.out.println(broken);
    }
  }

  /** Ctrl-C while it waits for a difference to go. */
  private static void interrupt(TestCluster cluster) {
    Process process = start(command("--settle=300"), cluster);
    await()
        .atMost(LIMIT)
        .until(
            () ->
                pods(cluster).stream()
                    .anyMatch(pod -> "Running".equals(pod.getStatus().getPhase())));
    assertThat(process.isAlive()).isTrue();
    signal(process.pid());
    await().atMost(LIMIT).until(() -> !process.isAlive());
  }

  private static void signal(long pid) {
    try {
      int exit = new ProcessBuilder("kill", "-INT", Long.toString(pid)).start().waitFor();
      assertThat(exit).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a signal was sent", e);
    }
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

  private static Ended verify(TestCluster cluster, String... options) {
    return run(command(options), cluster);
  }

  /**
   * As a person does: by kubectl, which finds its plugin in the PATH. What a shell starts in the
   * background, also these tests, ignores Ctrl-C, and so would the command.
   */
  private static List<String> command(String... options) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "--default-signal=INT",
                Programs.path("kubectl").toString(),
                "pointsman",
                "verify",
                "kube-proxy",
                "--image=" + TestImages.LOADED.product()));
    command.addAll(List.of(options));
    return command;
  }

  private static Ended run(List<String> command, TestCluster cluster) {
    Process process = start(command, cluster);
    try {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ended(process.waitFor(), out, Project.read(errors()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while running " + command.getFirst(), e);
    }
  }

  private static Process start(List<String> command, TestCluster cluster) {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(Project.folder().toFile())
            .redirectError(errors().toFile());
    builder.environment().put("KUBECONFIG", cluster.lab().kubeconfig().toString());
    builder
        .environment()
        .merge("PATH", home.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path errors() {
    return home.resolve("errors.txt");
  }
}
