// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.MapInfo;
import java.util.Map;

/**
 * Estimates the kernel memory of maps as kernel/bpf/hashtab.c and arraymap.c count it themselves
 * (htab_map_mem_usage, array_map_mem_usage). A hash costs
 *
 * <pre>
 *   16 bytes × (max_entries rounded up to a power of two)            its buckets
 *   + (48 + key and value, each rounded up to 8) × entries           its elements
 * </pre>
 *
 * where {@code entries} is max_entries for a map that is allocated at once, as the LRU maps are,
 * and what is in it, with 8 bytes more each, for one that is not. An array costs its values, one
 * for each CPU where it is per-CPU. The programs, some 100 KiB, are not counted.
 */
final class MapMemory {
  private static final int ARRAY = 2;
  private static final int PERCPU_ARRAY = 6;
  private static final int NO_PREALLOC = 1; // BPF_F_NO_PREALLOC

  private static final long BUCKET = 16;
  private static final long ELEMENT = 48; // struct htab_elem
  private static final long FREE_NODE = 8; // struct llist_node of the allocator

  private MapMemory() {}

  /**
   * Bytes of all maps.
   *
   * @param used how many entries are in the maps that are not allocated at once, by name
   */
  static long bytes(Iterable<MapInfo> maps, Map<String, Long> used) {
    long bytes = 0;
    for (MapInfo map : maps) {
      bytes += bytes(map, used.getOrDefault(map.name(), 0L));
    }
    return bytes;
  }

  private static long bytes(MapInfo map, long used) {
    long value = roundUp(map.valueSize());
    if (map.type() == ARRAY) {
      return value * map.maxEntries();
    }
    if (map.type() == PERCPU_ARRAY) {
      return value * map.maxEntries() * BpfMap.possibleCpus();
    }
    long element = ELEMENT + roundUp(map.keySize()) + value;
    long buckets = Math.max(1, Long.highestOneBit(2L * map.maxEntries() - 1));
    return BUCKET * buckets
        + ((map.flags() & NO_PREALLOC) == 0
            ? element * map.maxEntries()
            : (element + FREE_NODE) * used);
  }

  private static long roundUp(int size) {
    return (size + 7L) / 8 * 8;
  }
}
