// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Either side dies at every step of the walk, and the walk ends where it would have ended. */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@Order(UserModeLinux.BESIDE)
class KillTest {
  private static final Set<String> THERE =
      Set.of("PREFLIGHT", "PREPARE", "ACTIVATE", "DETACHING", "CLEAN");
  private static final Set<String> THERE_AND_BACK =
      Stream.concat(THERE.stream(), Stream.of("ATTACHING", "DRAIN", "REMOVE"))
          .collect(Collectors.toSet());

  private static TestCluster cluster;

  @BeforeAll
  static void up() {
    cluster = TestCluster.up(LabOptions.named("kill").withNodes(2));
    cluster.install();
    WebLoad.deploy(cluster);
  }

  @AfterAll
  static void down() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"AGENT, BPF", "OPERATOR, BPF", "AGENT, IPTABLES"})
  void endsWhereItWould(Killer.Victim victim, LinuxDataplane dataplane) {
    var walk = new Walk(cluster);
    try (var load = WebLoad.start(cluster, 50);
        var killer = new Killer(cluster, victim)) {
      walk.apply(dataplane);
      walk.await(dataplane);
      died(killer, THERE);
      walk.goBack();
      died(killer, THERE_AND_BACK);
      var sent = load.requests();
      await().atMost(Duration.ofMinutes(1)).until(() -> load.requests() > sent + 100);
      var result = load.finish();
      System.out.println(
          victim
              + " killed on the way to "
              + dataplane
              + ": "
              + killer.deaths()
              + "\n"
              + result.table());
      assertThat(result.failed()).as(result.table()).isZero();
    }
  }

  private static void died(Killer killer, Set<String> moments) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(killer.deaths()).containsOnlyKeys(moments));
  }
}
