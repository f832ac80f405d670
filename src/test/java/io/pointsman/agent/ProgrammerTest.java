// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.CatalogueDelta;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.SyncResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgrammerTest {
  private final Programmer programmer = new Programmer();
  private final Memory memory = new Memory();

  @Test
  void nothingIsWrittenBeforeItIsPrepared() {
    programmer.note(upsert(port(1, 1)));
    assertThat(programmer.flush(memory)).isSameAs(SyncResult.NONE);
    assertThat(memory.held).isEmpty();
    programmer.prepare(memory);
    assertThat(memory.held).containsOnlyKeys(port(1, 1).id());
  }

  @Test
  void manyEventsOfOnePortAreOneChange() {
    programmer.note(upsert(port(1, 1)));
    programmer.prepare(memory);
    programmer.note(upsert(port(1, 2)));
    programmer.note(upsert(port(1, 3)));
    programmer.note(upsert(port(2, 1)));
    programmer.note(new CatalogueDelta(List.of(), List.of(port(2, 1).id())));
    programmer.flush(memory);
    assertThat(memory.deltas).hasSize(1);
    assertThat(memory.deltas.getFirst().upserted())
        .containsExactly(new DesiredState.Change(port(1, 1), port(1, 3)));
    assertThat(memory.deltas.getFirst().removed()).isEmpty();
    programmer.note(upsert(port(1, 4)));
    programmer.note(upsert(port(1, 3)));
    assertThat(programmer.flush(memory)).as("it is as it was").isSameAs(SyncResult.NONE);
  }

  /** Whatever comes, what is held is what is desired, and no change speaks of what is not held. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theKernelFollowsAnyHistory(long seed) {
    Random random = new Random(seed);
    Map<ServicePortId, ServicePort> wanted = new HashMap<>();
    programmer.prepare(memory);
    for (int event = 0; event < 5_000; event++) {
      ServicePort port = port(random.nextInt(20), random.nextInt(6));
      if (random.nextInt(3) == 0) {
        wanted.remove(port.id());
        programmer.note(new CatalogueDelta(List.of(), List.of(port.id())));
      } else {
        wanted.put(port.id(), port);
        programmer.note(upsert(port));
      }
      memory.refusing = random.nextInt(10) == 0;
      if (random.nextInt(3) == 0) {
        programmer.flush(memory);
        assertDesired(wanted);
      } else if (random.nextInt(50) == 0) {
        programmer.repair(memory);
        assertDesired(wanted);
      }
    }
    memory.refusing = false;
    programmer.repair(memory);
    assertThat(memory.held).isEqualTo(wanted);
    assertThat(programmer.refused()).isEmpty();
  }

  private void assertDesired(Map<ServicePortId, ServicePort> wanted) {
    DesiredState desired = programmer.desired();
    assertThat(new HashSet<>(desired.ports())).isEqualTo(new HashSet<>(memory.held.values()));
    assertThat(desired.digest())
        .isEqualTo(NumberedServices.desired(desired.ports(), Set.of()).digest());
    assertThat(desired.ports().size() + programmer.refused().size()).isEqualTo(wanted.size());
  }

  private static CatalogueDelta upsert(ServicePort port) {
    return new CatalogueDelta(List.of(port), List.of());
  }

  private static ServicePort port(int service, int version) {
    return new ServicePort(
        new ServicePortId("default", "s" + service, "p", Protocol.TCP, IpFamily.IPV4),
        List.of(
            new Frontend(
                Address.ofV4(0x0a600000 + service), 80, Protocol.TCP, FrontendKind.CLUSTER_IP)),
        List.of(new Backend(Address.ofV4(0x0af40000 + version), 8080, false)));
  }

  /** A dataplane whose kernel is a map, and which refuses some ports when told to. */
  private static final class Memory implements Dataplane {
    private final Map<ServicePortId, ServicePort> held = new HashMap<>();
    private final List<DesiredState.Delta> deltas = new ArrayList<>();
    private boolean refusing;

    @Override
    public SyncResult prepare(DesiredState desired) {
      held.clear();
      List<SyncResult.Refused> refused = new ArrayList<>();
      desired.ports().forEach(port -> put(port, refused));
      return new SyncResult(held.size(), 0, refused);
    }

    @Override
    public SyncResult apply(DesiredState.Delta delta) {
      deltas.add(delta);
      List<SyncResult.Refused> refused = new ArrayList<>();
      for (DesiredState.Change change : delta.upserted()) {
        assertThat(held.get(change.after().id())).isEqualTo(change.before());
        held.remove(change.after().id());
        put(change.after(), refused);
      }
      for (ServicePort port : delta.removed()) {
        assertThat(held.remove(port.id())).isEqualTo(port);
      }
      return new SyncResult(delta.upserted().size(), delta.removed().size(), refused);
    }

    private void put(ServicePort port, List<SyncResult.Refused> refused) {
      if (refusing && port.id().service().endsWith("3")) {
        refused.add(new SyncResult.Refused(port.id(), "There is no room."));
      } else {
        held.put(port.id(), port);
      }
    }

    @Override
    public SyncResult repair(DesiredState desired) {
      return prepare(desired);
    }

    @Override
    public Preflight preflight() {
      return new Preflight(List.of());
    }

    @Override
    public PlannedWrites plan(DesiredState desired) {
      return new PlannedWrites(desired.ports().size(), 0, 0);
    }

    @Override
    public Holdings holdings() {
      return new Holdings(held.size(), 0);
    }

    @Override
    public void activate() {}

    @Override
    public void applyNodePortAddresses(Set<Address> addresses) {}

    @Override
    public KernelState read() {
      throw new UnsupportedOperationException("this kernel is looked at directly");
    }

    @Override
    public DrainState drain() {
      return DrainState.carrying(0);
    }

    @Override
    public void remove() {
      held.clear();
    }

    @Override
    public List<String> leftovers() {
      return List.of();
    }

    @Override
    public Phase phase() {
      return Phase.PREPARED;
    }

    @Override
    public void close() {}
  }
}
