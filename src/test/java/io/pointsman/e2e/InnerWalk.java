// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A walk of a cluster of one node inside another machine, which is told classes to run. */
abstract class InnerWalk {
  static {
    askSeldom();
  }

  private final EdgeWalk walk;
  private final @Nullable LinuxDataplane[] dataplanes;

  /** From a kube-proxy through these; null stands for kube-proxy. */
  InnerWalk(Pace pace, KubeProxyMode from, @Nullable LinuxDataplane... dataplanes) {
    // As many as a slow machine makes meanwhile.
    this.walk =
        new EdgeWalk(LabOptions.named("inner").withKubeProxyMode(from).withNodes(1), pace, 1);
    this.dataplanes = dataplanes;
  }

  /** Something bars an edge at first. */
  void barredBy(Obstacle bar) {
    walk.barredBy(bar);
  }

  /**
   * A question to the API server costs so much here that ten a second leave little for the rest.
   */
  static void askSeldom() {
    Awaitility.setDefaultPollInterval(Duration.ofSeconds(2));
  }

  @TestFactory
  List<DynamicTest> goes() {
    return walk.through(dataplanes);
  }

  @AfterEach
  void down() {
    walk.close();
  }
}
