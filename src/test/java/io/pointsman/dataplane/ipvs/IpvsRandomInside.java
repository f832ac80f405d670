// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.SyncResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Hundreds of changes that nobody thought of, in both families and all protocols. */
public class IpvsRandomInside extends IpvsFixture {
  private static final int STEPS = Integer.getInteger("pointsman.steps", 300);

  /** As many as in SameDigestTest, so that these are the first of the same. */
  private static final int WHOLE = 30;

  private static final int CATALOGUES = Integer.getInteger("pointsman.catalogues", 60);
  private static final int PORTS = 24;

  @Test
  void followsRandomChanges() {
    long seed = Long.getLong("pointsman.seed", 20_260_101L);
    Random random = new Random(seed);
    Map<ServicePortId, ServicePort> now = new HashMap<>();
    here(() -> dataplane.prepare(desired(now.values())));
    run(dataplane::activate);
    for (int step = 0; step < STEPS; step++) {
      Delta delta = randomDelta(random, now);
      SyncResult result = here(() -> dataplane.apply(delta));
      assertThat(result.refused()).as("seed %d step %d", seed, step).isEmpty();
      DesiredState desired = desired(now.values());
      if (step % 5 == 0) {
        assertThat(here(() -> dataplane.read()).digest())
            .as("seed %d step %d", seed, step)
            .isEqualTo(desired.digest());
      }
      if (step % 50 == 49) {
        assertProven(desired);
        restart(Scheduler.RR);
        assertThat(here(() -> dataplane.prepare(desired)))
            .as("seed %d step %d", seed, step)
            .isEqualTo(SyncResult.NONE);
      }
    }
  }

  @Test
  void holdsWhatTheCatalogueHoldsWhateverItIs() {
    long seed = Long.getLong("pointsman.seed", 20_260_102L);
    RandomServices services = new RandomServices(seed, 40);
    for (int step = 0; step < CATALOGUES; step++) {
      if (step < WHOLE) {
        DesiredState another = services.another();
        DesiredState desired =
            new DesiredState(another.ports(), Services.NODE_ADDRESSES, another.digest());
        here(() -> dataplane.prepare(desired));
      } else {
        Delta change = services.change();
        here(() -> dataplane.apply(change));
      }
      KernelState kernel = here(() -> dataplane.read());
      assertThat(kernel.digest())
          .as("seed %d step %d", seed, step)
          .isEqualTo(services.desired().digest());
      assertThat(kernel.defects()).as("seed %d step %d", seed, step).isEmpty();
    }
  }

  private static Delta randomDelta(Random random, Map<ServicePortId, ServicePort> now) {
    List<Change> upserted = new ArrayList<>();
    List<ServicePort> removed = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      ServicePort after = randomPort(random, random.nextInt(PORTS));
      ServicePort before = now.get(after.id());
      boolean touched =
          upserted.stream().anyMatch(change -> change.after().id().equals(after.id()))
              || removed.stream().anyMatch(port -> port.id().equals(after.id()));
      if (touched) {
        continue;
      }
      if (before != null && random.nextInt(5) == 0) {
        removed.add(before);
        now.remove(before.id());
      } else {
        upserted.add(new Change(before, after));
        now.put(after.id(), after);
      }
    }
    return new Delta(upserted, removed);
  }

  /** Four ports share an address, so that places come and go at addresses that stay. */
  private static ServicePort randomPort(Random random, int number) {
    IpFamily family = number % 2 == 0 ? IpFamily.IPV4 : IpFamily.IPV6;
    Protocol protocol = Protocol.values()[number % 3];
    List<Frontend> frontends = new ArrayList<>();
    FrontendKind[] kinds = {
      FrontendKind.CLUSTER_IP, FrontendKind.EXTERNAL_IP, FrontendKind.LOAD_BALANCER
    };
    for (int i = 0; i < kinds.length; i++) {
      if (i == 0 || random.nextInt(3) == 0) {
        Address address = address(family, 0x10 + i, number / 4);
        frontends.add(new Frontend(address, 80 + number, protocol, kinds[i]));
      }
    }
    if (random.nextInt(3) == 0) {
      frontends.add(
          new Frontend(
              Placement.wildcard(family), 30_000 + number, protocol, FrontendKind.NODE_PORT));
    }
    List<Backend> backends = new ArrayList<>();
    int first = random.nextInt(20);
    for (int i = random.nextInt(6); i > 0; i--) {
      backends.add(new Backend(address(family, 0x40, first + i), 8080, random.nextBoolean()));
    }
    return new ServicePort(
        new ServicePortId("default", "service-" + number, "", protocol, family),
        frontends,
        backends);
  }

  private static Address address(IpFamily family, int net, int host) {
    return family == IpFamily.IPV4
        ? Address.ofV4(0x0a00_0000 | net << 16 | host)
        : new Address(0xfd00_0000_0000_0000L | net, host + 1L);
  }
}
