// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.ProxyDataplaneStatus;
import io.pointsman.lab.LabOptions;
import io.pointsman.operator.plan.Names;
import io.pointsman.testing.PlainServices;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Every setting of {@code spec.rollout} does what it says, on three nodes under load. */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@OnlyInLab("the rollout of all of its nodes is stopped half-way")
@TestMethodOrder(OrderAnnotation.class)
class RolloutTest {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final int SOAK_SECONDS = 12;

  @TempDir private static Path home;

  private static TestCluster cluster;
  private static Walk walk;
  private static WebLoad load;

  @BeforeAll
  static void up() {
    cluster = TestCluster.inLab(LabOptions.named("rollout").withNodes(3));
    walk = new Walk(cluster);
    cluster.install();
    WebLoad.deploy(cluster);
    load = WebLoad.start(cluster, 25);
  }

  @AfterAll
  static void down() {
    if (load != null) {
      load.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  @Order(1)
  void theCanarySoaksAndTheRestFollowsOneByOne() {
    load.phase("canary");
    var plugin = Plugin.install(cluster, home);
    var watch = plugin.start("status", "--watch");
    var before = walk.kubeProxyPods();
    var seen = new ConcurrentLinkedQueue<String>();
    try (var arrivals = arrivals(seen);
        var history = new NodeHistory(cluster, LinuxDataplane.BPF)) {
      assertThat(arrivals.isRunning()).isTrue();
      rollout(LinuxDataplane.BPF, "canary: {nodes: 1, soakSeconds: %d}".formatted(SOAK_SECONDS));
      walk.awaitBpf();
      await().atMost(LIMIT).until(() -> history.converged().size() == 3);
      var begun = inOrder(history.begun());
      var converged = inOrder(history.converged());
      assertThat(begun.get(1)).isAfterOrEqualTo(converged.get(0).plusSeconds(SOAK_SECONDS));
      assertThat(begun.get(2)).isAfterOrEqualTo(converged.get(1));
      assertThat(history.mostSwitching()).isEqualTo(1);
    }
    assertThat(seen)
        .as("no kube-proxy starts anew before it leaves")
        .containsExactlyInAnyOrderElementsOf(before.keySet());
    followed(plugin.interrupted(watch).out());
  }

  /** Whoever watches sees each node set out and arrive. */
  private static void followed(String told) {
    System.out.println(told);
    for (var node : cluster.nodes()) {
      assertThat(told)
          .containsPattern(node.name() + " +kube-proxy +BPF +(Preflight|Prepare|Activate) ")
          .containsPattern(node.name() + " +BPF +BPF +Clean +Done ");
    }
    assertThat(told).contains("default: BPF, Switching. ").contains("default: BPF, ready. ");
  }

  @Test
  @Order(2)
  void aPausedRolloutStaysWhereItIs() {
    load.phase("paused");
    rollout(LinuxDataplane.IPTABLES, "canary: {nodes: 1, soakSeconds: 5}");
    await().atMost(LIMIT).until(() -> converged().equals("1/3"));
    cluster.kubectl(
        "patch", "pdp/default", "--type=merge", "-p", "{\"spec\":{\"rollout\":{\"paused\":true}}}");
    await().atMost(LIMIT).until(() -> ready().equals("False Paused"));
    var before = converged();
    var sent = load.requests();
    await().atMost(LIMIT).until(() -> load.requests() > sent + 500);
    assertThat(converged()).isEqualTo(before);
    assertThat(ready()).isEqualTo("False Paused");
  }

  @Test
  @Order(3)
  void aSpecThatChangesHalfWayTurnsTheRolloutRound() {
    load.phase("turned");
    var kubeProxy = new ConcurrentLinkedQueue<String>();
    try (var informer = arrivals(kubeProxy)) {
      assertThat(informer.isRunning()).isTrue();
      rollout(LinuxDataplane.BPF, "paused: false");
      walk.awaitBpf();
    }
    assertThat(kubeProxy).as("no detour by kube-proxy").isEmpty();
  }

  @Test
  @Order(4)
  void asManyAtATimeAsMayBeUnavailable() {
    load.phase("together");
    try (var history = new NodeHistory(cluster, LinuxDataplane.IPTABLES)) {
      rollout(LinuxDataplane.IPTABLES, "maxUnavailable: 2", "canary: {nodes: 0}");
      walk.await(LinuxDataplane.IPTABLES);
      assertThat(history.mostSwitching()).isEqualTo(2);
    }
  }

  @Test
  @Order(5)
  void aFailedNodeStaysWhereItFailedWhenThatIsAskedFor() {
    load.phase("stopped");
    rollout(LinuxDataplane.BPF);
    walk.awaitBpf();
    try (var way = Obstacle.RULES_CANNOT_BE_READ.arise(cluster)) {
      rollout(LinuxDataplane.IPTABLES, "onFailure: Pause");
      await().atMost(LIMIT).until(() -> ready().equals("False RolloutStopped"));
      var status = status();
      var counts = Objects.requireNonNull(status.nodes);
      assertThat(status.message).containsPattern(Obstacle.RULES_CANNOT_BE_READ.reason());
      assertThat(counts.failed).as(status.message).isEqualTo(1);
      assertThat(counts.rolledBack).isZero();
      assertThat(counts.converged).isZero();
    }
    rollout(LinuxDataplane.IPTABLES, "onFailure: RollBack");
    walk.await(LinuxDataplane.IPTABLES);
  }

  @Test
  @Order(6)
  void aNodeThatIsNotAskedKeepsItsKubeProxyToTheEnd() {
    load.phase("one node");
    walk.goBack();
    var before = walk.kubeProxyPods();
    var one = cluster.nodes().getFirst().name();
    walk.apply(
        LinuxDataplane.BPF,
        manifest ->
            manifest.replace(
                "spec:\n", "spec:\n  nodeSelector: {kubernetes.io/hostname: " + one + "}\n"));
    await().atMost(LIMIT).until(() -> converged().equals("1/1"));
    var others = new HashMap<>(before);
    others.values().remove(one);
    assertThat(walk.kubeProxyPods()).isEqualTo(others);
    walk.goBack();
    assertThat(walk.kubeProxyPods()).hasSize(3).containsAllEntriesOf(others);
  }

  @Test
  @Order(7)
  void whatWouldStopANodeIsNamedBeforeAnyIsSwitched() {
    load.phase("looked at");
    var before = walk.kubeProxyPods();
    var last = cluster.lab().nodes().getLast();
    try (var still = NodeProxy.KUBE_PROXY.hang(last);
        var history = new NodeHistory(cluster, LinuxDataplane.BPF)) {
      cluster.client().resource(PlainServices.service("default", "late", null)).create();
      cluster
          .client()
          .resource(PlainServices.slice("default", "late", "", List.of("10.244.250.1")))
          .create();
      rollout(LinuxDataplane.BPF);
      await().atMost(LIMIT).until(() -> ready().equals("False RolloutStopped"));
      assertThat(status().message)
          .containsPattern(last.name() + " .*KubeProxyBehind: ")
          .contains("default/late", "(step Preflight)");
      assertThat(history.begun()).isEmpty();
    }
    assertThat(walk.kubeProxyPods()).isEqualTo(before);
    cluster.kubectl("annotate", "ndp/" + last.name(), Names.FAILED_GENERATION + "-");
    walk.awaitBpf();
  }

  @Test
  @Order(8)
  void nothingWasLost() {
    var result = load.finish();
    System.out.println(result.table());
    assertThat(result.failed()).as(result.table()).isZero();
  }

  /** Asks for a dataplane with these lines of {@code spec.rollout}. */
  private static void rollout(LinuxDataplane wanted, String... lines) {
    walk.apply(
        wanted,
        manifest -> {
          var changed = manifest;
          for (var line : lines) {
            var key = "    " + line.substring(0, line.indexOf(':') + 1);
            changed =
                changed.contains(key)
                    ? changed.replaceAll(key + ".*", "    " + line)
                    : changed.replace("rollout:\n", "rollout:\n    " + line + "\n");
          }
          return changed;
        });
  }

  private static List<Instant> inOrder(Map<String, Instant> times) {
    return times.values().stream().sorted().toList();
  }

  private static ProxyDataplaneStatus status() {
    var resource = walk.resource();
    var status = resource.getStatus();
    return status != null
            && resource.getMetadata().getGeneration().equals(status.observedGeneration)
        ? status
        : new ProxyDataplaneStatus();
  }

  private static String converged() {
    return String.valueOf(status().convergedNodes);
  }

  private static String ready() {
    return Walk.condition(status(), "Ready");
  }

  private static SharedIndexInformer<Pod> arrivals(Queue<String> names) {
    return walk.kubeProxy().inform(new Arrivals(names));
  }

  /** Notes the pods that come. */
  private record Arrivals(Queue<String> names) implements ResourceEventHandler<Pod> {
    @Override
    public void onAdd(Pod pod) {
      names.add(pod.getMetadata().getName());
    }

    @Override
    public void onUpdate(Pod before, Pod now) {}

    @Override
    public void onDelete(Pod pod, boolean unknown) {}
  }
}
