// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.catalogue.Objects;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.Sysctl;
import io.pointsman.testing.ApiServer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What runs in the pod of a plan, in a kernel of the test's own. */
class PlanNodeCommandTest {
  private static final String SPEC =
      "{\"proxyDataplane\":\"default\",\"linuxDataplane\":\"%s\",\"step\":\"Preflight\"%s}";

  private final KernelSandbox sandbox = new KernelSandbox();
  private final InputStream before = System.in;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @AfterEach
  void end() {
    System.setIn(before);
    sandbox.close();
  }

  private int run(String spec) {
    return sandbox.inNamespace(
        () ->
            Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(
                    "plan-node", "--node=node-1", "--bpffs=" + sandbox.bpffs(), "--spec=" + spec));
  }

  /** Nothing tells the reader that a pipe into a pod has ended. */
  @Test
  void answersThoughItsInputNeverEnds() throws IOException {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client();
        PipedOutputStream pipe = new PipedOutputStream()) {
      client.resource(Objects.service("web", "10.96.0.50")).create();
      client.resource(Objects.slice("web", "web", Objects.ready("10.244.0.5"))).create();
      System.setIn(new PipedInputStream(pipe, 1 << 16));
      ServiceStream.of(client).input().transferTo(pipe);
      pipe.flush();
      assertThat(sandbox.inNamespace(() -> new Sysctl("net.ipv4.ip_forward").set("0"))).isTrue();

      assertThat(run(SPEC.formatted("BPF", ",\"kubeProxy\":\"Attached\"")))
          .as(err.toString())
          .isZero();
      JsonObject answer = new JsonObject(out.toString());
      assertThat(answer.getJsonArray("preflight").encode())
          .contains("KubeProxyAbsent", "ForwardingOff")
          .doesNotContain("Blocking");
      // web and its backend, the settings, and the node's entry of device; kubernetes may have
      // none.
      assertThat(answer.getJsonObject("plan").getLong("entriesToWrite")).isGreaterThanOrEqualTo(4);
      assertThat(answer.getJsonObject("plan").getLong("memoryBytes")).isPositive();
    }
  }

  /** As the agent's preflight does. */
  @Test
  void namesWhatOthersHaveLeft() throws IOException {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      System.setIn(ServiceStream.of(client).input());
      Files.createDirectories(sandbox.bpffs().resolve("tc/globals/cali_jump"));
      sandbox.inNamespace(
          () -> new CommandRunner().lines("iptables-nft", "-t", "nat", "-N", "KUBE-NODE-PORT"));

      assertThat(run(SPEC.formatted("Iptables", ",\"kubeProxy\":\"Detached\"")))
          .as(err.toString())
          .isZero();
      assertThat(new JsonObject(out.toString()).getJsonArray("preflight").encode())
          .contains("KubeProxyLeftovers", "chain nat KUBE-NODE-PORT")
          .contains("ForeignPins", "cali_jump");
    }
  }

  @Test
  void aDataplaneThatIsNotThereIsSaidSo() throws IOException {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      System.setIn(ServiceStream.of(client).input());
      assertThat(run(SPEC.formatted("Nftables", ""))).isEqualTo(Failures.FAILED);
      assertThat(err.toString()).contains("no dataplane NFTABLES");
    }
  }

  @Test
  void aListThatIsCutOffIsNoEmptyList() {
    System.setIn(InputStream.nullInputStream());
    assertThat(run(SPEC.formatted("BPF", ""))).isEqualTo(Failures.FAILED);
    assertThat(out.toString()).isEmpty();
    assertThat(run("{")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("--spec: ");
  }
}
