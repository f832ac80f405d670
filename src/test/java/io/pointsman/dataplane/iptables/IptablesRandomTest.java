// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Thousands of catalogues and changes that nobody thought of. */
@Execution(ExecutionMode.CONCURRENT)
class IptablesRandomTest {
  private static final long SEED = Long.getLong("pointsman.seed", 20_260_102L);
  private static final int CATALOGUES = 3000;
  private static final int CHANGES = 50;

  @Test
  void whatIsWrittenIsUnderstood() throws IOException {
    RandomServices services = new RandomServices(SEED, 40);
    for (int i = 0; i < CATALOGUES; i++) {
      DesiredState desired = services.another();
      boolean inTurn = i % 2 == 0;
      List<SavedTables> families = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        families.add(written(desired, family, inTurn));
      }
      assertThat(new IptablesKernelState(families, List.of(), List.of()).digest())
          .as("seed %d catalogue %d", SEED, i)
          .isEqualTo(desired.digest());
    }
  }

  private static SavedTables written(DesiredState desired, IpFamily family, boolean inTurn)
      throws IOException {
    StringBuilder script = new StringBuilder();
    WantedTables wanted =
        new WantedTables(
            desired.ports().stream().filter(port -> port.id().family() == family).toList(),
            new ServiceRules(inTurn, Optional.empty(), true),
            NodePortDoors.rules(family, Set.of(), Set.of()),
            Phase.PREPARED,
            null);
    new FullScript(new SavedTables(family), wanted, 20).writeTo(script);
    SavedTables saved = new SavedTables(family);
    script.toString().lines().forEach(saved::accept);
    return saved;
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void theKernelFollowsChanges(Variant variant) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      sandbox.runInNamespace(
          () -> {
            follow(variant);
          });
    }
  }

  private static void follow(Variant variant) {
    RandomServices services = new RandomServices(SEED, 60);
    IptablesOptions options = IptablesOptions.defaults().in(variant);
    try (IptablesDataplane dataplane = new IptablesDataplane(options, settings(Scheduler.RANDOM))) {
      dataplane.prepare(services.desired());
      dataplane.activate();
      for (int step = 0; step < CHANGES; step++) {
        dataplane.apply(services.change());
        assertProven(dataplane, services.desired(), step);
      }
      assertThat(dataplane.repair(services.desired())).isEqualTo(SyncResult.NONE);
    }
    try (IptablesDataplane next = new IptablesDataplane(options, settings(Scheduler.RR))) {
      assertThat(next.phase()).isEqualTo(Phase.ACTIVE);
      next.prepare(services.desired());
      for (int step = 0; step < CHANGES / 4; step++) {
        DesiredState another = services.another();
        next.repair(another);
        assertProven(next, another, step);
      }
      next.remove();
      assertThat(next.phase()).isEqualTo(Phase.ABSENT);
    }
  }

  private static void assertProven(IptablesDataplane dataplane, DesiredState desired, int step) {
    KernelState kernel = dataplane.read();
    assertThat(kernel.defects()).as("seed %d step %d", SEED, step).isEmpty();
    assertThat(kernel.digest()).as("seed %d step %d", SEED, step).isEqualTo(desired.digest());
  }

  private static DataplaneSettings settings(Scheduler scheduler) {
    return new DataplaneSettings(scheduler, 30_000, 32_767);
  }
}
