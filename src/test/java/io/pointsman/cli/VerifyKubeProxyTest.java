// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.testing.ApiServer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command on a real API server that no kubelet and no controller belongs to. */
class VerifyKubeProxyTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private ApiServer server;
  private KubernetesClient client;

  @BeforeEach
  void start() {
    server = ApiServer.startEmpty();
    client = server.client();
    node("ready", "True");
    node("gone", "False");
  }

  @AfterEach
  void end() {
    client.close();
    server.close();
  }

  private int run(String... arguments) {
    List<String> all =
        new ArrayList<>(List.of("verify", "kube-proxy", "--kubeconfig=" + server.kubeconfig()));
    all.addAll(List.of(arguments));
    return execute(all.toArray(String[]::new));
  }

  private int execute(String... arguments) {
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @Test
  void withoutAnImageItSaysHowToNameOne() {
    assertThat(run()).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("name it with --image");
    assertThat(err.toString().lines()).hasSize(1);
  }

  @Test
  void nodesThatCannotBeLookedAtAreNamed() {
    assertThat(run("--image=pointsman:test", "--timeout=1")).isEqualTo(Failures.NOT_LOOKED_AT);
    assertThat(out.toString())
        .containsPattern("gone +- .* not looked at: it is not Ready")
        .containsPattern("ready +- .* not looked at: its pod did not start in 1 seconds");
    assertThat(client.batch().v1().jobs().inAnyNamespace().list().getItems()).isEmpty();
  }

  @Test
  void aNodeThatIsNotThereIsNamed() {
    assertThat(run("--image=pointsman:test", "--node=nowhere", "-o=json"))
        .isEqualTo(Failures.NOT_LOOKED_AT);
    JsonObject answer = new JsonObject(out.toString());
    assertThat(answer.getBoolean("served")).isFalse();
    assertThat(answer.getJsonArray("nodes").getJsonObject(0).getMap())
        .containsEntry("node", "nowhere")
        .containsEntry("verdict", "NotLookedAt")
        .containsEntry("message", "the cluster has no such node");
  }

  @Test
  void aClusterThatDoesNotAnswerIsNoDifference(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("config");
    String config = Files.readString(server.kubeconfig());
    Files.writeString(file, config.replace(server.url(), "https://127.0.0.1:1"));
    assertThat(execute("verify", "kube-proxy", "--kubeconfig=" + file, "--image=pointsman:test"))
        .isEqualTo(Failures.NOT_LOOKED_AT);
    assertThat(err.toString()).startsWith("pointsman: the cluster could not be looked at: ");
  }

  @Test
  void wrongInputIsNamed(@TempDir Path folder) {
    assertThat(execute("verify", "kube-proxy", "--kubeconfig=" + folder.resolve("none")))
        .isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("--kubeconfig: ").contains("cannot be read");
    assertThat(run("--context=elsewhere", "--image=x")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("has no context elsewhere");
    assertThat(run("--parallel=0", "--image=x")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(execute("verify")).isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString()).contains("Nothing to verify was named");
  }

  /** The cluster ends and deletes it by itself, and what runs in it may only look. */
  @Test
  void theJobIsShortLivedAndHasFewRights() {
    LookSettings settings = LookSettingsTest.settings(0, 0);
    var job = client.resource(LookJob.on("ready", "run", settings)).create();
    assertThat(job.getSpec().getTtlSecondsAfterFinished()).isZero();
    assertThat(job.getSpec().getActiveDeadlineSeconds()).isEqualTo(600);
    var pod = job.getSpec().getTemplate().getSpec();
    assertThat(pod.getNodeName()).isEqualTo("ready");
    assertThat(pod.getHostNetwork()).isTrue();
    assertThat(pod.getContainers().getFirst().getCommand()).containsExactly("sleep");
    assertThat(pod.getContainers().getFirst().getArgs()).containsExactly("600");
    assertThat(pod.getAutomountServiceAccountToken()).isFalse();
    var context = pod.getContainers().getFirst().getSecurityContext();
    assertThat(context.getPrivileged()).isFalse();
    assertThat(context.getReadOnlyRootFilesystem()).isTrue();
    assertThat(context.getCapabilities().getDrop()).containsExactly("ALL");
    assertThat(context.getCapabilities().getAdd()).containsExactly("NET_ADMIN", "NET_RAW");
    assertThat(context.getSeLinuxOptions().getType()).isEqualTo("spc_t");
    assertThat(context.getAppArmorProfile()).isNull();
  }

  private void node(String name, String ready) {
    Node node =
        new NodeBuilder()
            .withNewMetadata()
            .withName(name)
            .addToLabels("kubernetes.io/os", "linux")
            .endMetadata()
            .withNewStatus()
            .addNewCondition()
            .withType("Ready")
            .withStatus(ready)
            .endCondition()
            .endStatus()
            .build();
    client.resource(node).create();
    client.resource(node).updateStatus();
  }
}
