// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.dataplane.PreflightException;
import io.pointsman.kernel.CommandRunner;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is said of a step that an exception ended. */
class WalkFailureTest {
  @Test
  void aFindingKeepsItsReasonAndRemedy() {
    assertThat(
            failed(
                new PreflightException(
                    new Finding(Severity.BLOCKING, "SchedulerMissing", "None.", "modprobe it"))))
        .isEqualTo(Progress.failed(Step.PREFLIGHT, "SchedulerMissing", "None. modprobe it"));
    assertThat(failed(new DataplaneException("add rule: EPERM", null)))
        .isEqualTo(Progress.failed(Step.PREFLIGHT, "DataplaneFailed", "add rule: EPERM"));
  }

  private static Progress failed(RuntimeException e) {
    Catalogue catalogue = Catalogue.forNode("node-1");
    AgentMetrics metrics = new AgentMetrics(new SimpleMeterRegistry());
    try (Kernel kernel =
            new Kernel(
                new EnumMap<>(LinuxDataplane.class), WalkFailureTest::none, catalogue, metrics);
        Chores chores = new Chores(new CommandRunner(), new Inbox(), Path.of("/nowhere"))) {
      Walk walk = new Walk(catalogue, kernel, chores, System::nanoTime, () -> {});
      walk.fail(e);
      return Objects.requireNonNull(walk.state().progress);
    }
  }

  private static Dataplane none(DataplaneSettings settings) {
    throw new IllegalStateException("nothing is opened");
  }
}
