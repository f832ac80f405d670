// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.lab.LabOptions;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Either side dies at every step of the walk, and the walk ends where it would have ended. */
@Tag("lab")
class KillTest {
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
  @EnumSource(Killer.Victim.class)
  void endsWhereItWould(Killer.Victim victim) {
    var walk = new Walk(cluster);
    try (var load = WebLoad.start(cluster, 50);
        var killer = new Killer(cluster, victim)) {
      walk.apply();
      walk.awaitBpf();
      var forward = killer.killed().size();
      assertThat(forward).as("killed: %s", killer.killed()).isGreaterThanOrEqualTo(3);
      walk.goBack();
      assertThat(killer.killed().size()).as("killed: %s", killer.killed()).isGreaterThan(forward);
      var sent = load.requests();
      await().atMost(Duration.ofMinutes(1)).until(() -> load.requests() > sent + 100);
      var result = load.finish();
      System.out.println("killed: " + killer.killed() + "\n" + result.table());
      assertThat(result.failed()).as(result.table()).isZero();
    }
  }
}
