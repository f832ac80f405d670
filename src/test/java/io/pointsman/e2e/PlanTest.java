// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.e2e.Plugin.Ended;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.Project;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A person looks at what a switch would do, in a cluster that has the CRDs and the image. */
@Tag("lab")
@ResourceLock(value = TestCluster.ALONE, mode = ResourceAccessMode.READ)
@Order(TestCluster.TOGETHER)
@OnlyInLab("kernels are dumped on the nodes")
class PlanTest {
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final String EXAMPLE = "docs/examples/dataplane.yaml";

  private static final String DUMP =
      """
      for save in {ip,ip6}tables-{nft,legacy}-save 'nft -a list ruleset'; do
        echo "# $save"
        $save 2>&1 | sed -e 's/\\[[0-9]*:[0-9]*\\]//; s/packets [0-9]* bytes [0-9]*//; /^#/d'
      done
      ipset save
      cat /proc/net/ip_vs 2> /dev/null || echo "no ip_vs"
      find /sys/fs/bpf | sort
      ip -o addr | awk '{ print $2, $4 }' | sort
      for device in $(ls /sys/class/net); do
        tc qdisc show dev "$device"
        tc filter show dev "$device" ingress
        tc filter show dev "$device" egress
      done
      sysctl -a 2> /dev/null | grep -E '^net\\.(ipv4|ipv6|netfilter|bridge)\\.' |
        grep -v nf_conntrack_count | sort
      """;

  @TempDir private static Path home;

  @Test
  void aPlanSaysWhatWouldBeDoneAndChangesNothing() {
    try (TestCluster cluster = TestCluster.inLab(LabOptions.named("plan").withNodes(2))) {
      Plugin plugin = Plugin.install(cluster, home);
      cluster.kubectl("apply", "-f", Project.folder().resolve("crds").toString());
      WebLoad.deploy(cluster);
      Walk walk = new Walk(cluster);
      ClusterDns.await(cluster);
      awaitKubeProxy(plugin);
      String before = dump(cluster);

      Ended plan =
          plugin.run(
              "plan",
              "-f",
              EXAMPLE,
              "--detailed-exitcode",
              "--image=" + TestImages.LOADED.product());
      System.out.println(plan);
      assertThat(plan.exit()).as(plan.toString()).isEqualTo(4);
      assertThat(plan.out())
          .containsPattern("node-1 +kube-proxy +BPF +\\d+ +\\d+ +\\d+ MiB +\\d+ .* can be done")
          .containsPattern("node-2 +kube-proxy +BPF +\\d+ +\\d+ +\\d+ MiB +\\d+ .* can be done");
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(
                          cluster.client().batch().v1().jobs().inAnyNamespace().list().getItems())
                      .isEmpty());
      assertThat(dump(cluster)).isEqualTo(before);

      Ended status = plugin.run("status");
      assertThat(status.exit()).as(status.toString()).isZero();
      aDryRunSaysTheSameInStatus(cluster, plugin, walk);
    }
  }

  private void aDryRunSaysTheSameInStatus(TestCluster cluster, Plugin plugin, Walk walk) {
    // The chart brings its own, and takes no others over.
    cluster.kubectl("delete", "-f", Project.folder().resolve("crds").toString());
    cluster.install();
    dryRun(walk, LinuxDataplane.BPF);
    // The probe Service's endpoints are the agents; kube-proxy has its rules a moment later.
    cluster.kubectl("-n", TestCluster.NAMESPACE, "rollout", "status", "daemonset/pointsman-agent");
    awaitKubeProxy(plugin);
    var before = dump(cluster);
    assertThat(before).doesNotContain("/sys/fs/bpf/pointsman");
    dryRun(walk, LinuxDataplane.IPTABLES);
    assertThat(dump(cluster)).isEqualTo(before);
    dryRun(walk, LinuxDataplane.BPF);
    assertThat(dump(cluster)).isEqualTo(before);

    var plan = plugin.run("plan", "-f", EXAMPLE, "--output=json");
    assertThat(plan.exit()).as(plan.toString()).isZero();
    for (var node : Serialization.unmarshal(plan.out(), JsonNode.class).get("nodes")) {
      var said =
          walk.resource().getStatus().plan.stream()
              .filter(each -> each.name.equals(node.get("node").asText()))
              .findFirst()
              .orElseThrow();
      assertThat(said.steps).isEqualTo(steps(node)).isNotEmpty();
      var counted = Objects.requireNonNull(said.counted);
      assertThat(counted.entriesToWrite)
          .isPositive()
          .isEqualTo(node.at("/counted/entriesToWrite").asLong());
      assertThat(counted.entriesToRemove)
          .isPositive()
          .isEqualTo(node.at("/counted/entriesToRemove").asLong());
      assertThat(counted.memoryBytes).isEqualTo(node.at("/counted/memoryBytes").asLong());
    }
  }

  /** It writes its rules a moment after a pod is an endpoint. */
  private static void awaitKubeProxy(Plugin plugin) {
    var command = new String[] {"verify", "kube-proxy", "--image=" + TestImages.LOADED.product()};
    await().atMost(LIMIT).until(() -> plugin.run(command).exit() == 0);
  }

  private static List<String> steps(JsonNode node) {
    var steps = new ArrayList<String>();
    node.get("steps").forEach(step -> steps.add(step.asText()));
    return steps;
  }

  /** Asks for a plan, and waits until every node has counted. */
  private static void dryRun(Walk walk, LinuxDataplane wanted) {
    walk.apply(wanted, manifest -> manifest.replace("rollout:", "rollout:\n    dryRun: true"));
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              var status = walk.resource().getStatus();
              assertThat(status).isNotNull();
              assertThat(Walk.condition(status, "Ready")).isEqualTo("False DryRun");
              assertThat(status.plan)
                  .hasSize(2)
                  .allSatisfy(
                      node -> {
                        assertThat(node.to).isEqualTo(Walk.name(wanted));
                        assertThat(node.counted).as(node.message).isNotNull();
                      });
            });
  }

  /** What a dataplane could change on any node. Counters move, and nothing else may. */
  private static String dump(TestCluster cluster) {
    return cluster.nodes().stream()
        .map(node -> node.name() + "\n" + dump(cluster, node.name()))
        .collect(Collectors.joining("\n"));
  }

  private static String dump(TestCluster cluster, String node) {
    String text = cluster.onNode(node, "bash", "-ec", DUMP);
    assertThat(text).contains("-A KUBE-SERVICES", "route_localnet", "eth0");
    return text;
  }
}
