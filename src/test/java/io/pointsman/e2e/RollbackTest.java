// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.lab.Hang;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A switch that cannot go on ends where it began, says which object stood in its way, and loses no
 * request; one that nobody can steer for two minutes goes on afterwards. Killed programs are {@link
 * KillTest}'s, and what bars the way to IPVS {@link IpvsEdgesTest}'s.
 */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@Order(UserModeLinux.BESIDE)
@OnlyInLab("kube-proxy's pods are held and the API server is stopped")
class RollbackTest {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final int PER_SECOND = 25;
  private static final int OUTAGE_SECONDS = 120;

  private static TestCluster cluster;
  private static Walk walk;

  @BeforeAll
  static void up() {
    cluster = TestCluster.inLab(LabOptions.named("rollback").withNodes(2));
    walk = new Walk(cluster);
    cluster.install();
    WebLoad.deploy(cluster);
  }

  @AfterAll
  static void down() {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** What was told of another obstacle would be found again. */
  @BeforeEach
  void forgetEvents() {
    cluster.kubectl("delete", "events", "--all");
  }

  /** A test that failed half-way does not leave its cluster to the next one. */
  @AfterEach
  void back() {
    if (!cluster.client().resources(ProxyDataplane.class).list().getItems().isEmpty()) {
      walk.goBack();
    }
  }

  @ParameterizedTest
  @EnumSource(names = "DEVICES_HAVE_NO_IPV6", mode = EnumSource.Mode.EXCLUDE)
  void endsWhereItBegan(Obstacle obstacle) {
    try (var load = WebLoad.start(cluster, PER_SECOND)) {
      obstacle.from().ifPresent(RollbackTest::go);
      new Rollback(cluster, LIMIT).of(obstacle, UnaryOperator.identity());
      walk.goBack();
      System.out.println(obstacle);
      nothingWasLost(load);
    }
  }

  private static void nothingWasLost(WebLoad load) {
    var result = load.finish();
    System.out.println(result.table());
    assertThat(result.failed()).as(result.table()).isZero();
  }

  private static void go(LinuxDataplane dataplane) {
    walk.apply(dataplane);
    walk.await(dataplane);
  }

  /** Who has served meanwhile does so on; kube-proxy is back before anything is taken away. */
  @Test
  void leavesAsSoonAsNothingBarsItsWay() {
    go(LinuxDataplane.BPF);
    try (var load = WebLoad.start(cluster, PER_SECOND)) {
      try (var _ = Obstacle.foreignPin(cluster, "links/foreign")) {
        cluster.kubectl("delete", "--wait=false", "pdp", "default");
        await()
            .atMost(LIMIT)
            .untilAsserted(
                () ->
                    assertThat(walk.resource().getStatus().message)
                        .contains("cannot go back", "links/foreign"));
      }
      walk.goBack();
      nothingWasLost(load);
    }
  }

  @Test
  void goesOnWhenTheApiServerComesBack() {
    // Kubernetes takes pods of silent nodes out of Services, and all nodes are silent for too long.
    keepUnreadyPods("default", "web");
    keepUnreadyPods("kube-system", "kube-dns");
    try (var load = WebLoad.start(cluster, PER_SECOND)) {
      walk.apply(LinuxDataplane.BPF);
      await().atMost(LIMIT).until(walk::underWay);
      var sent = load.requests();
      try (var server = Hang.apiServer(cluster.lab())) {
        await()
            .atMost(LIMIT)
            .until(() -> load.requests() > sent + 2L * OUTAGE_SECONDS * PER_SECOND);
      }
      walk.awaitBpf();
      walk.goBack();
      nothingWasLost(load);
    }
  }

  private static void keepUnreadyPods(String namespace, String service) {
    cluster.kubectl(
        "patch",
        "--namespace=" + namespace,
        "service/" + service,
        "--patch={\"spec\":{\"publishNotReadyAddresses\":true}}");
  }
}
