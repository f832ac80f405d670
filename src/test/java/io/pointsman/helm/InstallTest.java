// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.Programs;
import io.pointsman.testing.RestClient;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A release from its installation to its end, on an API server that knows nothing of Pointsman. */
class InstallTest {
  private static final String PDP = "/apis/pointsman.io/v1alpha1/proxydataplanes";
  private static final String CRD =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/proxydataplanes.pointsman.io";

  private static ApiServer server;
  private static RestClient api;

  @BeforeAll
  static void start() {
    server = ApiServer.startEmpty();
    api = RestClient.of(server);
  }

  @AfterAll
  static void stop() {
    api.close();
    server.close();
  }

  @Test
  void firstResourceIsMadeWithTheReleaseFollowsItAndOutlivesIt() {
    assertThat(helm("install", "operator.replicas=0").err())
        .contains("at '/operator/replicas': minimum: got 0, want 1");
    assertThatThrownBy(() -> api.get(CRD)).hasMessageContaining("not found");

    succeed(helm("install", "dataplane.enabled=true"));
    JsonNode first = api.get(PDP + "/default");
    assertThat(first.at("/spec/linuxDataplane").asText()).isEqualTo("BPF");

    succeed(helm("upgrade", "dataplane.enabled=true", "dataplane.spec.rollout.paused=true"));
    JsonNode second = api.get(PDP + "/default");
    assertThat(second.at("/spec/rollout/paused").asBoolean()).isTrue();
    assertThat(second.at("/metadata/uid")).isEqualTo(first.at("/metadata/uid"));

    assertThatHelmLeavesItAsItIs(first);
    assertThat(api.get(CRD).get("kind").asText()).isEqualTo("CustomResourceDefinition");
  }

  /** With it every node would go back to kube-proxy; in the first release it was a hook. */
  private static void assertThatHelmLeavesItAsItIs(JsonNode first) {
    List<Supplier<Programs.Ended>> steps =
        List.of(
            () -> ofRelease("rollback", "1"),
            () -> helm("upgrade", "dataplane.enabled=true"),
            () -> ofRelease("rollback", "2"),
            () -> helm("upgrade", "dataplane.enabled=false"),
            () -> helm("upgrade", "dataplane.enabled=true"),
            () -> ofRelease("uninstall"),
            () -> helm("install", "dataplane.enabled=true"),
            () -> ofRelease("uninstall"));
    for (int i = 0; i < steps.size(); i++) {
      succeed(steps.get(i).get());
      JsonNode now = api.get(PDP + "/default");
      assertThat(now.at("/metadata/uid")).as("step " + i).isEqualTo(first.at("/metadata/uid"));
      assertThat(now.at("/metadata/deletionTimestamp").isMissingNode()).as("step " + i).isTrue();
    }
  }

  private static Programs.Ended ofRelease(String command, String... arguments) {
    List<String> all = new ArrayList<>(List.of(command, "pointsman"));
    all.addAll(List.of(arguments));
    all.add("--namespace=" + Chart.NAMESPACE);
    all.add("--kubeconfig=" + server.kubeconfig());
    return Programs.run("helm", all);
  }

  private static Programs.Ended helm(String command, String... values) {
    return Chart.run(
        List.of(
            command,
            "pointsman",
            Chart.FOLDER,
            "--namespace=" + Chart.NAMESPACE,
            "--create-namespace",
            "--kubeconfig=" + server.kubeconfig()),
        values);
  }

  private static void succeed(Programs.Ended ended) {
    assertThat(ended.exit()).as(ended.err() + ended.out()).isZero();
  }
}
