// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The lab is a cluster as users have it, and leaves the machine as it found it. */
@Tag("lab")
@Isolated("it compares what is on the machine before and after")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LabTest {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String URL = "http://web.default.svc.cluster.local/hostname";

  private Set<String> before = Set.of();
  private Lab lab;

  LabTest() {
    before = MachineListing.outside();
    lab = Lab.up(LabOptions.named("labtest"));
  }

  @BeforeAll
  void deploy(@TempDir Path folder) {
    var manifest = folder.resolve("web.yaml");
    LabFolders.write(manifest, Template.render("web.yaml", Map.of("image", Images.AGNHOST)));
    lab.kubectl("apply", "-f", manifest.toString()).check();
    lab.kubectl("rollout", "status", "daemonset/web", "--timeout=120s").check();
  }

  @AfterAll
  void down() {
    Lab.down("labtest");
    Lab.down("labtest-b");
  }

  @Test
  @Order(1)
  void allNodesAreReadyWithKubeProxyAndBothFamilies() {
    var nodes = lab.kubernetes().nodes().list().getItems();
    assertThat(nodes)
        .extracting(node -> node.getMetadata().getName())
        .containsExactly("node-1", "node-2", "node-3");
    assertThat(nodes)
        .allSatisfy(
            node -> {
              assertThat(node.getSpec().getPodCIDRs()).hasSize(2);
              assertThat(node.getStatus().getAddresses()).hasSize(3);
              assertThat(node.getStatus().getConditions())
                  .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
              assertThat(node.getMetadata().getLabels())
                  .containsEntry("kubernetes.io/os", "linux")
                  .containsKeys("kubernetes.io/hostname", "topology.kubernetes.io/zone");
            });
    var proxies =
        lab.kubernetes().pods().inNamespace("kube-system").withLabel("k8s-app", "kube-proxy");
    assertThat(proxies.list().getItems())
        .hasSize(3)
        .allMatch(pod -> pod.getStatus().getPhase().equals("Running"));
  }

  @Test
  @Order(2)
  void aPodReachesTheServiceByNameAndItsLogsAndShellWork() {
    var pod = aPod();
    assertThat(lab.kubectl("exec", pod, "--", "curl", "-s", "-m", "5", URL).check().out())
        .startsWith("web-");
    for (var address :
        lab.kubernetes().services().withName("web").get().getSpec().getClusterIPs()) {
      var url =
          "http://%s/hostname".formatted(address.contains(":") ? "[" + address + "]" : address);
      assertThat(lab.kubectl("exec", pod, "--", "curl", "-s", "-m", "5", url).check().out())
          .startsWith("web-");
    }
    assertThat(lab.kubectl("logs", pod).check().out()).contains("/readyz");
  }

  @Test
  @Order(3)
  void theClientOutsideReachesNodePortsInBothFamiliesAndNothingOfTheMachine() {
    for (var node : lab.nodes()) {
      assertThat(fromOutside(node.address4())).startsWith("web-");
      assertThat(fromOutside("[" + node.address6() + "]")).startsWith("web-");
    }
    assertThat(lab.client().exec("ip", "route", "show", "default").check().out()).isEmpty();
    assertThat(lab.client().exec("ip", "-6", "route", "show", "default").check().out()).isEmpty();
    var direct = lab.kubernetes().pods().withLabel("app", "web").list().getItems().getFirst();
    var url = "http://%s:8080/hostname".formatted(direct.getStatus().getPodIP());
    assertThat(lab.client().exec("curl", "-s", "-m", "5", url).check().out())
        .isEqualTo(direct.getMetadata().getName());
  }

  @Test
  @Order(4)
  void theLoadClientCountsRequestsByPhase() {
    var result =
        lab.client()
            .exec(
                "traffic",
                "http",
                "--duration",
                "2s",
                "--phase",
                "calm",
                "--targets",
                "http://%s:30080/hostname,http://%s:30080/hostname"
                    .formatted(lab.node("node-1").address4(), lab.node("node-2").address4()));
    assertThat(result.out()).contains("\"phase\":\"calm\"").contains("\"failed\":0");
    assertThat(result.ok()).isTrue();
    var refused =
        lab.client()
            .exec("traffic", "http", "--duration", "1s", "--targets", "http://10.89.0.11:30099/");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.out()).contains("connection refused");
  }

  @Test
  @Order(5)
  void aProcessOfANodeIsInTheNodesOwnNamespacesAndCgroup() {
    var node = lab.node("node-2");
    assertThat(node.exec("hostname").check().out().strip()).isEqualTo("node-2");
    assertThat(node.exec("sh", "-c", "exit 7").exit()).isEqualTo(7);
    assertThat(node.exec("stat", "-f", "-c", "%T", "/sys/fs/bpf").check().out()).contains("bpf");
    // The last line is that of cgroup v2: within the node it is the root.
    assertThat(node.exec("grep", "^0::", "/proc/self/cgroup").check().out().strip())
        .isIn("0::/", "0::/init");
    node.exec("touch", "/etc/made-in-the-node").check();
    assertThat(Path.of("/etc/made-in-the-node")).doesNotExist();
  }

  @Test
  @Order(6)
  void deploymentsAndDaemonSetsRoll() {
    lab.kubectl(
            "create",
            "deployment",
            "roll",
            "--image=" + Images.AGNHOST,
            "--replicas=3",
            "--",
            "/agnhost",
            "pause")
        .check();
    lab.kubectl("rollout", "status", "deployment/roll", "--timeout=120s").check();
    for (var rolled : List.of("deployment/roll", "daemonset/web")) {
      lab.kubectl("set", "env", rolled, "GENERATION=2").check();
      lab.kubectl("rollout", "status", rolled, "--timeout=120s").check();
    }
    lab.kubectl("delete", "deployment", "roll", "--wait=false").check();
  }

  /** A kubelet ends, too, when it is faster than the containerd it asks. */
  @ParameterizedTest
  @ValueSource(strings = {"kubelet", "containerd"})
  @Order(7)
  void whatEndsOnANodeIsStartedAgain(String program) {
    var node = lab.node("node-2");
    var first = pid(node, program);
    node.exec("kill", "-9", first).check();
    await().atMost(LIMIT).until(() -> !List.of("", first).contains(pid(node, program)));
  }

  @Test
  @Order(8)
  void aNodeStopsAndStarts() {
    var node = lab.node("node-3");
    node.stop();
    assertThat(node.running()).isFalse();
    await().atMost(LIMIT).until(() -> !ready("node-3"));
    node.start();
    await().atMost(LIMIT).until(() -> ready("node-3"));
    await()
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(fromOutside(node.address4())).startsWith("web-"));
  }

  @Test
  @Order(9)
  void aNodeIsAddedAndRemoved() {
    var node = lab.addNode();
    assertThat(node.name()).isEqualTo("node-4");
    assertThat(ready("node-4")).isTrue();
    await()
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(fromOutside(node.address4())).startsWith("web-"));
    lab.removeNode("node-4");
    assertThat(lab.kubernetes().nodes().withName("node-4").get()).isNull();
    assertThatThrownBy(() -> lab.node("node-4"))
        .hasMessageContaining("it has node-1, node-2, node-3");
  }

  @Test
  @Order(10)
  void anotherLabRunsBesideItAlsoAfterBeingKilledHalfWay() throws Exception {
    killHalfWay("labtest-b");
    try (var other =
        Lab.up(
            LabOptions.named("labtest-b").withNodes(1).withKubeProxyMode(KubeProxyMode.NFTABLES))) {
      assertThat(other.kubernetes().nodes().list().getItems()).hasSize(1);
      assertThat(other.node("node-1").exec("nft", "list", "tables").check().out())
          .contains("kube-proxy");
      assertThat(fromOutside(lab.node("node-1").address4())).startsWith("web-");
    }
    assertThat(LabFolders.lab("labtest-b")).doesNotExist();
    assertThat(fromOutside(lab.node("node-1").address4())).startsWith("web-");
  }

  @Test
  @Order(11)
  void downLeavesNothing() {
    var all = MachineListing.processes();
    var inside = MachineListing.inside(LabState.load("labtest").pid());
    var namespaces = new TreeSet<String>();
    inside.forEach(process -> namespaces.addAll(all.getOrDefault(process, Set.of())));
    namespaces.removeAll(MachineListing.namespaces(ProcessHandle.current().pid()));
    assertThat(inside).hasSizeGreaterThan(20);
    assertThat(namespaces).hasSizeGreaterThan(20);
    lab.close();
    // The kernel gives the numbers of namespaces out again: only processes that were there count.
    var left = MachineListing.processes();
    left.keySet().retainAll(all.keySet());
    assertThat(left.keySet()).doesNotContainAnyElementsOf(inside);
    assertThat(left.values())
        .allSatisfy(held -> assertThat(held).doesNotContainAnyElementsOf(namespaces));
    assertThat(LabFolders.lab("labtest")).doesNotExist();
    // Other programs of the machine may have made something meanwhile that goes by itself.
    await()
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(before).containsAll(MachineListing.outside()));
    assertThatThrownBy(() -> Lab.attach("labtest")).hasMessageContaining("make lab-up");
  }

  @Test
  void wrongNamesAreRefused() {
    assertThatThrownBy(() -> LabOptions.named("No!")).hasMessageContaining("'No!' is not allowed");
    assertThatThrownBy(() -> LabOptions.named("x").withNodes(0)).hasMessageContaining("1 to 20");
  }

  /** Begins a lab in a process of its own and kills that with -9. */
  private static void killHalfWay(String name) throws IOException, InterruptedException {
    var java = ProcessHandle.current().info().command().orElse("java");
    var classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    var process =
        new ProcessBuilder(
                List.of(
                    java,
                    "-cp",
                    classPath,
                    LabMain.class.getName(),
                    "up",
                    "--name=" + name,
                    "--nodes=1"))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    var halfWay = LabFolders.lab(name).resolve("node-1/pid");
    await().atMost(LIMIT).until(() -> Files.exists(halfWay) || !process.isAlive());
    assertThat(process.isAlive()).isTrue();
    assertThat(process.destroyForcibly().waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(halfWay).exists();
  }

  private String aPod() {
    return "pod/"
        + lab.kubernetes()
            .pods()
            .withLabel("app", "web")
            .list()
            .getItems()
            .getFirst()
            .getMetadata()
            .getName();
  }

  private static String pid(Node node, String program) {
    return node.exec("pgrep", "-x", program).out().strip();
  }

  private String fromOutside(String address) {
    var url = "http://%s:30080/hostname".formatted(address);
    return lab.client().exec("curl", "-s", "-m", "5", url).out();
  }

  private boolean ready(String node) {
    return lab.kubernetes().nodes().withName(node).get().getStatus().getConditions().stream()
        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }
}
