// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.testing.ApiServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the pods are made of that a look is made in. */
class LookSettingsTest {
  private static final String LABELS =
      "labels: {app.kubernetes.io/name: pointsman, app.kubernetes.io/component: %s}";

  private static final String OPERATOR =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: operator, namespace: kube-system, %1$s}
      spec:
        selector: {matchLabels: {a: b}}
        template:
          metadata: {labels: {a: b}}
          spec:
            containers:
            - name: operator
              image: pointsman:test
              env: [{name: POINTSMAN_AGENT_CAPABILITIES, value: '["BPF","SYS_RESOURCE"]'}]
      """
          .formatted(LABELS.formatted("operator"));

  private static final String AGENTS =
      """
      apiVersion: apps/v1
      kind: DaemonSet
      metadata: {name: agents, namespace: kube-system, %1$s}
      spec:
        selector: {matchLabels: {a: b}}
        template:
          metadata: {labels: {a: b}}
          spec:
            containers:
            - name: agent
              image: pointsman:test
              resources: {limits: {memory: 2Gi}}
              securityContext: {capabilities: {add: [NET_ADMIN]}}
              volumeMounts: [{name: bpffs, mountPath: /sys/fs/bpf}, {name: tmp, mountPath: /tmp}]
            volumes: [{name: bpffs, hostPath: {path: /run/bpf}}, {name: tmp, emptyDir: {}}]
      """
          .formatted(LABELS.formatted("agent"));

  /** For a look by the image under test; both in seconds. */
  static LookSettings settings(int settle, int timeout) {
    return new LookSettings(
        "kube-system",
        "pointsman:test",
        "Never",
        List.of(),
        Duration.ofSeconds(settle),
        Duration.ofSeconds(timeout),
        1);
  }

  /** A pod lasts as long as what is asked of it may take. */
  @ParameterizedTest
  @CsvSource({"20, 120, 600", "900, 120, 1320", "0, 900, 2760"})
  void theDeadlineFollowsWhatTheUserAllows(int settle, int timeout, long seconds) {
    Job job = LookJob.on("node-1", "run", settings(settle, timeout));
    assertThat(job.getSpec().getActiveDeadlineSeconds()).isEqualTo(seconds);
    var container = job.getSpec().getTemplate().getSpec().getContainers().getFirst();
    assertThat(container.getArgs()).containsExactly(Long.toString(seconds));
  }

  /** With 512 MiB nft was killed on nodes of 10,000 Services while it read their rules. */
  @Test
  void memoryHasNoLimit() {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      PodSpec agents = AgentPods.of(client);
      for (Job job :
          List.of(
              LookJob.on("node-1", "run", settings(0, 1)),
              LookJob.asAgent("node-1", "run", settings(0, 1), agents))) {
        var resources =
            job.getSpec().getTemplate().getSpec().getContainers().getFirst().getResources();
        assertThat(resources.getRequests()).containsKey("memory");
        assertThat(resources.getLimits()).isNullOrEmpty();
      }
    }
  }

  @Test
  void theJobHasWhatTheChartGivesAgents() {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      client.resource(OPERATOR).create();
      Job before = LookJob.asAgent("node-1", "run", settings(0, 1), AgentPods.of(client));
      assertThat(capabilities(before)).containsExactly("BPF", "SYS_RESOURCE");

      client.resource(AGENTS).create();
      Job job = LookJob.asAgent("node-1", "run", settings(0, 1), AgentPods.of(client));
      assertThat(capabilities(job)).containsExactly("NET_ADMIN");
      for (ObjectMeta named :
          List.of(job.getMetadata(), job.getSpec().getTemplate().getMetadata())) {
        assertThat(named.getLabels()).containsEntry("app.kubernetes.io/component", "plan");
      }
      PodSpec pod = job.getSpec().getTemplate().getSpec();
      assertThat(pod.getContainers().getFirst().getResources().getLimits()).containsKey("memory");
      assertThat(pod.getVolumes())
          .filteredOn(volume -> volume.getName().equals("bpffs"))
          .singleElement()
          .satisfies(volume -> assertThat(volume.getHostPath().getPath()).isEqualTo("/run/bpf"));
      assertThat(pod.getVolumes()).filteredOn(it -> it.getName().equals("tmp")).hasSize(1);
    }
  }

  private static List<String> capabilities(Job job) {
    var container = job.getSpec().getTemplate().getSpec().getContainers().getFirst();
    return container.getSecurityContext().getCapabilities().getAdd();
  }

  @Test
  void aCommandThatWasKilledIsSaidToLackMemory() {
    assertThat(LookPod.failure(137, ""))
        .isEqualTo(
            "its kernel could not be read: the command was killed, most likely because there was"
                + " no memory left for it");
    assertThat(LookPod.failure(137, "a warning")).endsWith("for it: a warning");
    assertThat(LookPod.failure(1, "nft is missing"))
        .isEqualTo("its kernel could not be read: nft is missing");
    assertThat(LookPod.failure(1, "")).endsWith("the command ended with exit code 1");
    assertThat(LookPod.failure(null, "")).endsWith("the connection to its pod ended first");
  }
}
