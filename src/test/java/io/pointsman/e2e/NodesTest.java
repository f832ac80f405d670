// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.lab.LabException;
import io.pointsman.lab.LabOptions;
import io.pointsman.operator.PointsmanOperator;
import java.time.Duration;
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
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Nodes come, go and fail while the cluster is on BPF, and its kernel state is tampered with. */
@Tag("lab")
@ResourceLock(value = TestCluster.ALONE, mode = ResourceAccessMode.READ)
@Order(TestCluster.TOGETHER)
@OnlyInLab("nodes are added, rebooted and removed")
@TestMethodOrder(OrderAnnotation.class)
class NodesTest {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static TestCluster cluster;
  private static Walk walk;

  @BeforeAll
  static void up() {
    cluster = TestCluster.inLab(LabOptions.named("nodes").withNodes(2));
    walk = new Walk(cluster);
    cluster.install();
    WebLoad.deploy(cluster);
    walk.apply();
    walk.awaitBpf();
  }

  @AfterAll
  static void down() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  @Order(1)
  void aNodeThatJoinsIsTakenOver() {
    var added = cluster.lab().addNode();
    awaitConverged("3/3");
    assertThat(walk.kubeProxyChains(added.name())).isEmpty();
    assertThat(request(added.address4())).startsWith("web-");
  }

  @Test
  @Order(2)
  void aNodeThatRebootsComesBackWithoutKubeProxy() {
    var node = cluster.lab().node("node-2");
    node.stop();
    node.start();
    await()
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(() -> request(node.address4()).startsWith("web-"));
    awaitConverged("3/3");
    assertThat(walk.kubeProxyChains(node.name())).isEmpty();
  }

  @Test
  @Order(3)
  void programsAndEntriesThatVanishAreMended() {
    var node = cluster.lab().node("node-1");
    cluster.onNode("node-1", "sh", "-c", "rm -rf /sys/fs/bpf/pointsman/v1/links");
    await()
        .atMost(LIMIT)
        // Not all programs are there yet when the folder is, and the proof may be an older one.
        .ignoreExceptionsInstanceOf(LabException.class)
        .untilAsserted(
            () -> {
              assertThat(cluster.onNode("node-1", "ls", "/sys/fs/bpf/pointsman/v1"))
                  .contains("links");
              assertThat(status("node-1").getStatus().proven).isTrue();
              assertThat(request(node.address4())).startsWith("web-");
            });
  }

  /** Else the other one would wait until the lease has run out. */
  @Test
  @Order(4)
  void aLeaderThatIsToldToEndGivesItsLeaseBack() {
    var leases = cluster.client().leases().inNamespace(TestCluster.NAMESPACE);
    var lease = leases.withName(PointsmanOperator.LEASE);
    var leader = lease.require().getSpec().getHolderIdentity();
    var holders = new ConcurrentLinkedQueue<String>();
    try (var informer = lease.inform(new Holders(holders))) {
      assertThat(informer.isRunning()).isTrue();
      cluster.kubectl("-n", TestCluster.NAMESPACE, "delete", "pod", leader);
      await().atMost(LIMIT).until(() -> holders.stream().anyMatch(it -> !it.equals(leader)));
      assertThat(holders).containsSubsequence(leader, "");
    }
  }

  @Test
  @Order(5)
  void aNodeThatLeavesIsForgotten() {
    cluster.lab().removeNode("node-3");
    awaitConverged("2/2");
    await()
        .atMost(LIMIT)
        .until(
            () -> cluster.client().resources(NodeDataplane.class).withName("node-3").get() == null);
  }

  private static NodeDataplane status(String node) {
    return cluster.client().resources(NodeDataplane.class).withName(node).require();
  }

  private static void awaitConverged(String nodes) {
    await()
        .atMost(LIMIT)
        .until(
            () ->
                nodes.equals(
                    cluster
                        .client()
                        .resources(ProxyDataplane.class)
                        .withName("default")
                        .require()
                        .getStatus()
                        .convergedNodes));
  }

  private static String request(String address) {
    var url = "http://" + address + ":30080/hostname";
    return cluster.lab().client().exec("curl", "-sS", "--max-time", "3", url).check().out();
  }

  /** Notes who holds a lease, one after the other; empty when nobody does. */
  private record Holders(Queue<String> names) implements ResourceEventHandler<Lease> {
    @Override
    public void onAdd(Lease lease) {
      names.add(lease.getSpec().getHolderIdentity());
    }

    @Override
    public void onUpdate(Lease before, Lease now) {
      names.add(Objects.requireNonNullElse(now.getSpec().getHolderIdentity(), ""));
    }

    @Override
    public void onDelete(Lease lease, boolean unknown) {}
  }
}
