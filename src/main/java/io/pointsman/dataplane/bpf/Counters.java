// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/** Sums the per-CPU values of the map {@code counters}. */
final class Counters {
  private Counters() {}

  static Map<Counter, Long> read(Path pin) {
    Map<Counter, Long> sums = new EnumMap<>(Counter.class);
    try (BpfMap map = BpfMap.openPinned(pin);
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment values = arena.allocate(map.perCpuSize(), Long.BYTES);
      for (Counter counter : Counter.values()) {
        key.set(ValueLayout.JAVA_INT, 0, counter.ordinal());
        boolean present = map.lookup(key, values);
        sums.put(counter, present ? sum(values, map.perCpuStride()) : 0L);
      }
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      for (Counter counter : Counter.values()) {
        sums.put(counter, 0L);
      }
    }
    return sums;
  }

  private static long sum(MemorySegment values, long stride) {
    long sum = 0;
    for (long at = 0; at < values.byteSize(); at += stride) {
      sum += values.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }
}
