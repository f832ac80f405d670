// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.NumberedServices.nodePort;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.port;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Thousands of changes that nobody thought of. */
class NatMapsRandomTest extends NatMapsFixture {
  @Test
  void followsThousandsOfRandomChanges() {
    long seed = Long.getLong("pointsman.seed", 20_260_101L);
    Random random = new Random(seed);
    Map<ServicePortId, ServicePort> now = new HashMap<>();
    maps.reconcile(desired(now.values()));
    for (int step = 0; step < 4000; step++) {
      Delta delta = randomDelta(random, now);
      SyncResult result = maps.apply(delta);
      assertThat(result.refused()).as("seed %d step %d", seed, step).isEmpty();
      DesiredState desired = desired(now.values());
      assertThat(maps.read().digest())
          .as("seed %d step %d", seed, step)
          .isEqualTo(desired.digest());
      if (step % 100 == 0) {
        assertProven(desired);
      }
      if (step % 500 == 499) {
        restart(RR);
        assertThat(maps.reconcile(desired)).isEqualTo(SyncResult.NONE);
      }
    }
  }

  private static Delta randomDelta(Random random, Map<ServicePortId, ServicePort> now) {
    List<Change> upserted = new ArrayList<>();
    List<ServicePort> removed = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      int number = random.nextInt(60);
      if (upserted.stream().anyMatch(change -> change.after().id().equals(id(number)))) {
        continue;
      }
      ServicePort before = now.get(id(number));
      if (before != null && random.nextInt(5) == 0) {
        removed.add(before);
        now.remove(id(number));
      } else if (removed.stream().noneMatch(port -> port.id().equals(id(number)))) {
        ServicePort after = randomPort(random, number);
        upserted.add(new Change(before, after));
        now.put(after.id(), after);
      }
    }
    return new Delta(upserted, removed);
  }

  private static ServicePort randomPort(Random random, int number) {
    List<Frontend> frontends = new ArrayList<>();
    frontends.add(clusterIp(number));
    for (int i = 0; i < 3; i++) {
      if (random.nextBoolean()) {
        frontends.add(nodePort(30_000 + number * 3 + i));
      }
    }
    return new ServicePort(
        id(number),
        frontends,
        backends(random.nextInt(1000), random.nextInt(12)),
        backends(2000 + random.nextInt(1000), random.nextInt(3)));
  }
}
