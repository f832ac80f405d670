// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.bpf.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfObject;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Looks Services up as the programs do (bpf/lookup.h) while all of them change. */
class NatMapsConcurrencyTest {
  private static final int SERVICES = 20;
  private static final int CHANGES = 10_000;
  private static final int TRIES = 64;
  private static final int BACKENDS_PER_SERVICE = 1000;

  @Test
  void noLookupFailsOrReachesAnotherServiceWhileEverythingChanges() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong lookups = new AtomicLong();
    AtomicReference<String> failure = new AtomicReference<>("");
    try (BpfObject object = NatMapsFixture.open(1000, 5000);
        NatMaps maps = new NatMaps(object.map(Layout.NAT_FE), object.map(Layout.NAT_BE), 1)) {
      List<ServicePort> now = new ArrayList<>();
      Random random = new Random(1);
      for (int service = 0; service < SERVICES; service++) {
        now.add(port(service, random));
      }
      maps.reconcile(desired(now));
      Thread reader =
          new Thread(
              () -> {
                try (Lookup lookup = new Lookup(object)) {
                  Random own = new Random(2);
                  while (!stop.get() && failure.get().isEmpty()) {
                    failure.set(lookup.look(own.nextInt(SERVICES), own));
                    lookups.incrementAndGet();
                  }
                }
              });
      reader.start();
      for (int i = 0; i < CHANGES && failure.get().isEmpty(); i++) {
        int service = random.nextInt(SERVICES);
        ServicePort after = port(service, random);
        maps.apply(new Delta(List.of(new Change(now.get(service), after)), List.of()));
        now.set(service, after);
      }
      stop.set(true);
      reader.join();
      assertThat(failure.get()).isEmpty();
      assertThat(lookups.get()).isPositive();
      assertThat(maps.read().digest()).isEqualTo(desired(now).digest());
    }
  }

  private static ServicePort port(int service, Random random) {
    int first = service * BACKENDS_PER_SERVICE + random.nextInt(BACKENDS_PER_SERVICE - 10);
    return new ServicePort(
        id(service),
        List.of(clusterIp(service)),
        NumberedServices.backends(first, 1 + random.nextInt(8)));
  }

  /** One lookup of a frontend and a backend of it; its segments are its own. */
  private static final class Lookup implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final BpfMap natFe;
    private final BpfMap natBe;
    private final MemorySegment feKey = arena.allocate(Layout.FE_KEY_SIZE, 8);
    private final MemorySegment fe = arena.allocate(Layout.FE_SIZE, 8);
    private final MemorySegment beKey = arena.allocate(Layout.BE_KEY_SIZE, 8);
    private final MemorySegment be = arena.allocate(Layout.BE_SIZE, 8);

    Lookup(BpfObject object) {
      this.natFe = object.map(Layout.NAT_FE);
      this.natBe = object.map(Layout.NAT_BE);
    }

    String look(int service, Random random) {
      Layout.putFrontendKey(feKey, 0, clusterIp(service).address(), 80, 6);
      for (int i = 0; i < TRIES; i++) {
        if (!natFe.lookup(feKey, fe)) {
          return "frontend of service " + service + " was not there";
        }
        int set = Layout.getInt(fe, Layout.FE_ID);
        int count = Layout.getInt(fe, Layout.FE_COUNT);
        Layout.putBackendKey(beKey, 0, set, random.nextInt(count));
        if (!natBe.lookup(beKey, be) || Layout.getInt(be, Layout.BE_ID) != set) {
          continue;
        }
        int backend = (int) Layout.addressLow(be, Layout.BE_ADDR) - 0x0af4_0000;
        boolean unchanged = natFe.lookup(feKey, fe) && Layout.getInt(fe, Layout.FE_ID) == set;
        if (unchanged) {
          return backend / BACKENDS_PER_SERVICE == service
              ? ""
              : "service " + service + " led to backend " + backend;
        }
      }
      return "no lookup of service " + service + " in " + TRIES + " tries succeeded";
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
