// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.port;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.BpfObject;
import io.pointsman.testing.Bench;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How much the dataplane adds to the bare batch calls for the same bytes, and how long one changed
 * endpoint takes. Prints ratios; asserts only that the work was done.
 */
@Tag("bench")
class BpfSyncBench {
  private static final int RR = 1;
  private static final int SERVICES = 10_000;
  private static final int ENDPOINTS = 10;
  private static final int ROUNDS = 15;
  private static final int CHANGES = 5_000;
  private static final double NANOS_PER_MILLI = 1e6;

  @Test
  void loadsAndProvesTenThousandServices() {
    DesiredState desired = desired(ports(SERVICES, ENDPOINTS));
    double[] load = new double[ROUNDS];
    double[] bareLoad = new double[ROUNDS];
    double[] proof = new double[ROUNDS];
    double[] bareRead = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      try (BpfObject object = NatMapsFixture.open(65_536, 1_048_576);
          BpfObject bare = NatMapsFixture.open(65_536, 1_048_576);
          Arena arena = Arena.ofConfined();
          NatMaps maps = new NatMaps(map(object, Layout.NAT_FE), map(object, Layout.NAT_BE), RR)) {
        load[round] = millis(() -> maps.reconcile(desired).written());
        Copy frontends = Copy.of(map(object, Layout.NAT_FE), arena);
        Copy backends = Copy.of(map(object, Layout.NAT_BE), arena);
        bareLoad[round] =
            millis(
                () ->
                    backends.writeTo(map(bare, Layout.NAT_BE))
                        + frontends.writeTo(map(bare, Layout.NAT_FE)));
        proof[round] = millis(() -> prove(maps, desired));
        bareRead[round] = millis(() -> frontends.read() + backends.read());
        frontends.reader().close();
        backends.reader().close();
      }
    }
    print("load 10,000 x 10 from the desired state", load, bareLoad);
    print("read back and prove the same", proof, bareRead);
  }

  @Test
  void changesOneEndpoint() {
    for (int services : List.of(100, 1_000, SERVICES)) {
      try (BpfObject object = NatMapsFixture.open(65_536, 1_048_576);
          NatMaps maps = new NatMaps(map(object, Layout.NAT_FE), map(object, Layout.NAT_BE), RR)) {
        List<ServicePort> now = new ArrayList<>(ports(services, ENDPOINTS));
        maps.reconcile(desired(now));
        Random random = new Random(services);
        double[] micros = new double[CHANGES];
        for (int i = 0; i < CHANGES; i++) {
          int number = random.nextInt(services);
          ServicePort after = port(number, backends(random.nextInt(60_000), ENDPOINTS - i % 2));
          Delta delta = new Delta(List.of(new Change(now.get(number), after)), List.of());
          micros[i] = millis(() -> maps.apply(delta).written()) * 1000;
          now.set(number, after);
        }
        assertThat(maps.read().digest()).isEqualTo(desired(now).digest());
        Arrays.sort(micros);
        Bench.print(
            "one endpoint change at %,d Services: p50 %.0f us, p99 %.0f us, max %.0f us (goal 5000)",
            services, micros[CHANGES / 2], micros[CHANGES * 99 / 100], micros[CHANGES - 1]);
      }
    }
  }

  private static long prove(NatMaps maps, DesiredState desired) {
    NatTable table = maps.read();
    BpfKernelState state = new BpfKernelState(table, NatDefects.find(table, RR));
    assertThat(state.defects()).isEmpty();
    assertThat(state.digest()).isEqualTo(desired.digest());
    return state.frontendCount();
  }

  private static BpfMap map(BpfObject object, String name) {
    return object.map(name);
  }

  private static double millis(LongSupplier work) {
    long start = System.nanoTime();
    long result = work.getAsLong();
    long end = System.nanoTime();
    assertThat(result).isPositive();
    return (end - start) / NANOS_PER_MILLI;
  }

  private static void print(String what, double[] ours, double[] bare) {
    double first = ours[0];
    Arrays.sort(ours);
    Arrays.sort(bare);
    double median = ours[ROUNDS / 2];
    double bareMedian = bare[ROUNDS / 2];
    Bench.print(
        "%s: %.1f ms, bare batch calls %.1f ms, ratio %.2f (goal 3), first in a cold JVM %.1f ms",
        what, median, bareMedian, median / bareMedian, first);
  }

  /** All entries of a map in two plain buffers. */
  private record Copy(MemorySegment keys, MemorySegment values, int count, BpfMapReader reader) {
    private static final int PORTION = 16_384;

    static Copy of(BpfMap map, Arena arena) {
      BpfMapReader reader = map.reader(PORTION);
      List<byte[]> keyParts = new ArrayList<>();
      List<byte[]> valueParts = new ArrayList<>();
      int count = 0;
      reader.rewind();
      while (reader.next()) {
        long size = reader.count();
        keyParts.add(bytes(reader.keys(), size * map.keySize()));
        valueParts.add(bytes(reader.values(), size * map.valueSize()));
        count += reader.count();
      }
      return new Copy(join(keyParts, arena), join(valueParts, arena), count, reader);
    }

    long writeTo(BpfMap map) {
      for (int done = 0; done < count; done += PORTION) {
        map.updateBatch(
            keys.asSlice((long) done * map.keySize()),
            values.asSlice((long) done * map.valueSize()),
            Math.min(PORTION, count - done));
      }
      return count;
    }

    long read() {
      long found = 0;
      reader.rewind();
      while (reader.next()) {
        found += reader.count();
      }
      return found;
    }

    private static byte[] bytes(MemorySegment segment, long size) {
      return segment.asSlice(0, size).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }

    private static MemorySegment join(List<byte[]> parts, Arena arena) {
      MemorySegment all = arena.allocate(parts.stream().mapToLong(part -> part.length).sum(), 8);
      long at = 0;
      for (byte[] part : parts) {
        MemorySegment.copy(part, 0, all, java.lang.foreign.ValueLayout.JAVA_BYTE, at, part.length);
        at += part.length;
      }
      return all;
    }
  }
}
