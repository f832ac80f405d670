// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.FlowCounts;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a kernel does not tell is no number, and never 0. */
class SwitchPlannerHiddenTest {
  private final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void close() {
    sandbox.close();
  }

  private SwitchPlan plan(Map<LinuxDataplane, Dataplane> others) {
    return sandbox.inNamespace(
        () ->
            new SwitchPlanner(new CommandRunner())
                .plan(
                    new SwitchQuestion(
                        LinuxDataplane.BPF, RandomServices.desired(List.of()), false, 7, null),
                    new Told(() -> Phase.ABSENT, () -> Holdings.NONE),
                    others,
                    null));
  }

  @Test
  void whatIsToldIsCounted() {
    SwitchPlan plan =
        plan(
            Map.of(
                LinuxDataplane.IPTABLES,
                new Told(() -> Phase.ACTIVE, () -> new Holdings(40, 3)),
                LinuxDataplane.IPVS,
                new Told(() -> Phase.DRAINING, () -> new Holdings(5, 2))));
    FlowCounts flows = Objects.requireNonNull(plan.flowsAtRisk);
    assertThat(flows.conntrack).isEqualTo(3);
    assertThat(flows.ipvs).isEqualTo(2);
    assertThat(flows.ct).isZero();
    assertThat(plan.entriesToRemove).isEqualTo(45);
    assertThat(plan.steps).anyMatch(step -> step.startsWith("Give 3 flows of Iptables up to 7"));
  }

  @Test
  void holdingsThatCannotBeReadAreNoZero() {
    SwitchPlan plan =
        plan(
            Map.of(
                LinuxDataplane.IPTABLES,
                new Told(() -> Phase.ACTIVE, SwitchPlannerHiddenTest::refuse)));
    FlowCounts flows = Objects.requireNonNull(plan.flowsAtRisk);
    assertThat(flows.conntrack).isNull();
    assertThat(flows.ipvs).isZero();
    assertThat(plan.entriesToRemove).isNull();
    assertThat(plan.steps)
        .contains("Give the flows of Iptables up to 7 seconds to end, then remove its entries.");
  }

  @Test
  void aPhaseThatCannotBeReadHidesFlowsToo() {
    SwitchPlan plan =
        plan(
            Map.of(
                LinuxDataplane.IPVS,
                new Told(SwitchPlannerHiddenTest::refuse, () -> Holdings.NONE)));
    FlowCounts flows = Objects.requireNonNull(plan.flowsAtRisk);
    assertThat(flows.ipvs).isNull();
    assertThat(flows.conntrack).isZero();
    assertThat(plan.entriesToRemove).isNull();
  }

  private static <T> T refuse() {
    throw new DataplaneException("the kernel does not tell", null);
  }

  /** A dataplane that is only asked. */
  private record Told(Supplier<Phase> told, Supplier<Holdings> held) implements Dataplane {
    @Override
    public Phase phase() {
      return told.get();
    }

    @Override
    public Holdings holdings() {
      return held.get();
    }

    @Override
    public PlannedWrites plan(DesiredState desired) {
      return new PlannedWrites(9, 0, 1);
    }

    @Override
    public Preflight preflight() {
      return new Preflight(List.of());
    }

    @Override
    public SyncResult prepare(DesiredState desired) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SyncResult apply(DesiredState.Delta delta) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SyncResult repair(DesiredState desired) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void activate() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void applyNodePortAddresses(Set<Address> addresses) {
      throw new UnsupportedOperationException();
    }

    @Override
    public KernelState read() {
      throw new UnsupportedOperationException();
    }

    @Override
    public DrainState drain() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void remove() {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<String> leftovers() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
