// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Objects;
import io.pointsman.testing.ApiServer;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a real API server that no kubelet and no controller belongs to. */
class PlanCommandTest {
  /** A file that can be applied. */
  static final String BPF =
      """
      apiVersion: pointsman.io/v1alpha1
      kind: ProxyDataplane
      metadata: {name: default}
      spec: {linuxDataplane: BPF, kubeProxy: {management: Unmanaged}}
      """;

  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private ApiServer server;
  private KubernetesClient client;

  @BeforeEach
  void start() {
    server = ApiServer.start();
    client = server.client();
    node("ready", "True");
    node("gone", "False");
  }

  @AfterEach
  void end() {
    client.close();
    server.close();
  }

  private int plan(String yaml, String... options) {
    List<String> all =
        new ArrayList<>(List.of("plan", "--image=pointsman:test", "--timeout=1", "-f", file(yaml)));
    all.addAll(List.of(options));
    return execute(all);
  }

  private String file(String yaml) {
    try {
      return Files.writeString(folder.resolve("dataplane.yaml"), yaml).toString();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private int execute(List<String> arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(arguments);
    all.add("--kubeconfig=" + server.kubeconfig());
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }

  @Test
  void nothingIsStoredAndNodesThatCannotBeLookedAtAreNamed() {
    assertThat(plan(BPF)).isEqualTo(3);
    assertThat(out.toString())
        .containsPattern("gone +none +BPF .* not looked at: it is not Ready")
        .containsPattern("ready +none +BPF .* not looked at: its pod did not start in 1 seconds");
    assertThat(client.resources(ProxyDataplane.class).list().getItems()).isEmpty();
    assertThat(client.batch().v1().jobs().inAnyNamespace().list().getItems()).isEmpty();
    assertThat(plan(BPF, "-o=json", "--detailed-exitcode")).isEqualTo(3);
    JsonObject answer = new JsonObject(out.toString());
    assertThat(answer.getBoolean("changes")).isTrue();
    assertThat(answer.getBoolean("feasible")).isFalse();
    assertThat(answer.getJsonArray("nodes").getJsonObject(1).getJsonArray("steps"))
        .containsExactly("Preflight", "Prepare", "Activate", "Clean");
  }

  /** As when the chart is in another namespace and this person may not see the operator. */
  @Test
  void aNodeThatHasArrivedIsNotChanged() {
    client.nodes().withName("gone").delete();
    client.resource(BPF).create();
    ProxyDataplaneSpec wanted = live().getSpec();
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    spec.proxyDataplane = "default";
    spec.linuxDataplane = wanted.linuxDataplane;
    spec.scheduler = wanted.scheduler;
    spec.verification = wanted.verification;
    spec.nodePort = wanted.nodePort;
    spec.ipvs = wanted.ipvs;
    spec.drainSeconds = wanted.rollout.drainSeconds;
    spec.step = Step.CLEAN;
    spec.probe = new ServiceReference();
    spec.probe.namespace = "elsewhere";
    spec.probe.name = "pointsman-probe";
    NodeDataplane arrived = new NodeDataplane();
    arrived.getMetadata().setName("ready");
    arrived.setSpec(spec);
    arrived.setStatus(null);
    client.resource(arrived).create();
    assertThat(plan(BPF, "-o=json", "--detailed-exitcode")).as(out + "" + err).isZero();
    assertThat(new JsonObject(out.toString()).getBoolean("changes")).isFalse();
  }

  @Test
  void aResourceThatIsAppliedWithOtherSettingsStaysAsItIs() {
    client.resource(BPF.replace("BPF", "Iptables").replace("Unmanaged", "Managed")).create();
    ProxyDataplane before = live();
    assertThat(plan(BPF)).isEqualTo(3);
    assertThat(live().getMetadata().getResourceVersion())
        .isEqualTo(before.getMetadata().getResourceVersion());
    assertThat(live().getSpec().linuxDataplane).isEqualTo(LinuxDataplane.IPTABLES);
  }

  @Test
  void whatTheServerRefusesIsWrongInputInItsWords() {
    assertThat(plan(BPF.replace("BPF", "BPF, scheduler: wlc"))).isEqualTo(2);
    assertThat(err.toString()).contains("scheduler wlc is not one that BPF has");
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(plan(BPF.replace("BPF", "BPF, schedule: rr"))).isEqualTo(2);
    assertThat(err.toString()).contains("unknown field \"spec.schedule\"");
    assertThat(plan(BPF.replace("BPF", "Nftables"))).isEqualTo(2);
    assertThat(err.toString()).contains("not built yet");
    assertThat(plan("kind: Service\napiVersion: v1\nmetadata: {name: x}\n")).isEqualTo(2);
    assertThat(err.toString()).contains("must hold one resource, a ProxyDataplane");
    assertThat(plan(BPF + "---\n" + BPF)).isEqualTo(2);
    assertThat(plan(": : :")).isEqualTo(2);
    assertThat(execute(List.of("plan", "-f", "/nowhere/at/all.yaml"))).isEqualTo(2);
    assertThat(err.toString()).contains("cannot be read");
    assertThat(execute(List.of("plan"))).isEqualTo(2);
  }

  @Test
  void aResourceThatWouldNotBeAcceptedIsSaidSo() {
    client.resource(BPF.replace("default", "older")).create();
    assertThat(plan(BPF)).as(err.toString()).isEqualTo(2);
    assertThat(err.toString()).contains("older ProxyDataplane older rules");
  }

  @Test
  void withoutKubeProxyToTakeOffNothingWouldBegin() {
    assertThat(plan(BPF.replace("Unmanaged", "Managed"))).isEqualTo(1);
    assertThat(err.toString()).contains("no DaemonSet kube-system/kube-proxy");
    assertThat(plan(BPF.replace("Unmanaged", "Managed"), "-o=json")).isEqualTo(1);
    JsonObject answer = new JsonObject(out.toString());
    assertThat(answer.getBoolean("feasible")).isFalse();
    assertThat(answer.getString("message")).contains("no DaemonSet kube-system/kube-proxy");
  }

  @Test
  void aClusterWithoutPointsmanIsSaidSo() {
    try (ApiServer bare = ApiServer.startEmpty()) {
      List<String> arguments =
          List.of("plan", "-f", file(BPF), "--image=x", "--kubeconfig=" + bare.kubeconfig());
      int exit =
          Main.commandLine().setErr(new PrintWriter(err)).execute(arguments.toArray(String[]::new));
      assertThat(exit).isEqualTo(2);
      assertThat(err.toString()).contains("kubectl apply -f crds/");
    }
  }

  /** A look sees what an agent sees, or its findings would be others. */
  @Test
  void theJobHasAnAgentsEyes() {
    LookSettings settings =
        new LookSettings(
            "kube-system", "pointsman:test", "Never", List.of(), Duration.ZERO, Duration.ZERO, 1);
    Job job =
        client.resource(LookJob.asAgent("ready", "run", settings, AgentPods.of(client))).create();
    assertThat(job.getSpec().getTtlSecondsAfterFinished()).isZero();
    var pod = job.getSpec().getTemplate().getSpec();
    assertThat(pod.getAutomountServiceAccountToken()).isFalse();
    var container = pod.getContainers().getFirst();
    assertThat(container.getSecurityContext().getPrivileged()).isFalse();
    assertThat(container.getSecurityContext().getCapabilities().getAdd())
        .containsExactlyInAnyOrder("BPF", "NET_ADMIN", "NET_RAW", "PERFMON");
    assertThat(container.getSecurityContext().getAppArmorProfile().getType())
        .isEqualTo("Unconfined");
    assertThat(container.getVolumeMounts())
        .extracting(mount -> mount.getMountPath())
        .contains("/tmp", "/sys/fs/bpf", "/sys/fs/cgroup", "/host/proc/sys/net/ipv4");
  }

  @Test
  void servicesArriveInThePodAsTheyAre() throws IOException {
    client.resource(Objects.service("web", "10.96.0.50")).create();
    client.resource(Objects.slice("web", "web", Objects.ready("10.244.0.5"))).create();
    byte[] bytes = ServiceStream.of(client).input().readAllBytes();
    Catalogue catalogue = ServiceStream.read(new ByteArrayInputStream(bytes), "node-1");
    List<String> ports = new ArrayList<>();
    catalogue.forEachPort(port -> ports.add(port.id().text() + " " + port.backends().size()));
    assertThat(ports).contains("default/web:http 1");
    byte[] cut = Arrays.copyOf(bytes, bytes.length / 2);
    assertThatThrownBy(() -> ServiceStream.read(new ByteArrayInputStream(cut), "node-1"))
        .isInstanceOf(IOException.class);
  }

  private ProxyDataplane live() {
    return client.resources(ProxyDataplane.class).withName("default").require();
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
            .withLastTransitionTime("2026-01-01T00:00:00Z")
            .endCondition()
            .endStatus()
            .build();
    client.resource(node).create();
    client.resource(node).updateStatus();
  }
}
