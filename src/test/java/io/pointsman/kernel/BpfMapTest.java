// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BpfMapTest {
  private static final int VALUE_SIZE = 16;

  private final Arena arena = Arena.ofShared();
  private final BpfObject object =
      BpfObject.open(
          "probe",
          BpfSources.compile("src/test/resources/bpf/probe.bpf.c"),
          BpfObject.Options.NONE.without(Set.of("refused")));

  @BeforeEach
  void load() {
    object.load();
  }

  @AfterEach
  void close() {
    object.close();
    arena.close();
  }

  @Test
  void knowsWhatTheKernelKnows() {
    BpfMap map = object.map("a_hash");
    assertThat(map.name()).isEqualTo("a_hash");
    assertThat(map.keySize()).isEqualTo(8);
    assertThat(map.valueSize()).isEqualTo(VALUE_SIZE);
    assertThat(map.maxEntries()).isEqualTo(1000);
    assertThat(map.info().type()).isEqualTo(1);
  }

  @Test
  void addsReplacesFindsAndDeletes() {
    BpfMap map = object.map("a_hash");
    MemorySegment value = arena.allocate(VALUE_SIZE, 8);
    assertThat(map.lookup(key(7), value)).isFalse();
    map.update(key(7), value(70), UpdateMode.ADD);
    map.update(key(7), value(71), UpdateMode.REPLACE);
    assertThat(map.lookup(key(7), value)).isTrue();
    assertThat(value.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(71);
    assertThatThrownBy(() -> map.update(key(7), value(1), UpdateMode.ADD))
        .isInstanceOfSatisfying(
            BpfException.class,
            e -> {
              assertThat(e.errno()).isEqualTo(Errno.EEXIST);
              assertThat(e.operation()).isEqualTo("update map");
              assertThat(e.object()).isEqualTo("a_hash");
            });
    assertThat(map.delete(key(7))).isTrue();
    assertThat(map.delete(key(7))).isFalse();
  }

  @Test
  void refusesSegmentsThatAreTooSmallBeforeTheKernelWritesPastThem() {
    BpfMap map = object.map("a_hash");
    assertThatThrownBy(() -> map.lookup(key(1), arena.allocate(8)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("16 bytes");
    assertThatThrownBy(() -> map.lookup(MemorySegment.ofArray(new long[1]), value(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("native");
  }

  @Test
  void writesReadsAndDeletesInBatches() {
    BpfMap map = object.map("a_hash");
    map.updateBatch(keys(0, 900), values(0, 900), 900);
    assertThat(readAll(map, 64)).hasSize(900).containsEntry(899L, 8990L);
    assertThat(readAll(map, 1)).hasSize(900);
    assertThat(readAll(map, 5000)).hasSize(900);
    // 100 of these are not there: the kernel stops at each, the binding goes on.
    assertThat(map.deleteBatch(keys(850, 150), 150)).isEqualTo(50);
    assertThat(readAll(map, 100)).hasSize(850);
    assertThat(map.deleteBatch(keys(0, 850), 850)).isEqualTo(850);
    assertThat(readAll(map, 100)).isEmpty();
  }

  @Test
  void saysThatAMapIsFull() {
    BpfMap map = object.map("a_hash");
    assertThatThrownBy(() -> map.updateBatch(keys(0, 1200), values(0, 1200), 1200))
        .isInstanceOfSatisfying(
            BpfException.class, e -> assertThat(e.errno()).isEqualTo(Errno.E2BIG))
        .hasMessageContaining("a_hash");
  }

  @Test
  void fallsBackToSingleCallsWhereTheMapHasNoBatch() {
    BpfMap map = object.map("without_batch");
    assertThat(map.deleteBatch(arena.allocateFrom(ValueLayout.JAVA_INT, 1, 2), 2)).isZero();
    assertThat(map.batches()).isFalse();
    BpfMap hash = object.map("a_hash");
    hash.noBatch(-Errno.ENOTSUPP.number());
    hash.updateBatch(keys(0, 300), values(0, 300), 300);
    assertThat(readAll(hash, 7)).hasSize(300).containsEntry(17L, 170L);
    assertThat(hash.deleteBatch(keys(100, 300), 300)).isEqualTo(200);
    assertThat(readAll(hash, 1000)).hasSize(100);
  }

  @Test
  void readsTheValueOfEachCpu() {
    BpfMap map = object.map("a_counter");
    byte[] packet = new byte[64];
    object.program("classify").testRun(packet, 5);
    MemorySegment values = arena.allocate(map.perCpuSize(), 8);
    assertThat(map.lookup(arena.allocateFrom(ValueLayout.JAVA_INT, 0), values)).isTrue();
    long sum = 0;
    for (long at = 0; at < values.byteSize(); at += map.perCpuStride()) {
      sum += values.get(ValueLayout.JAVA_LONG, at);
    }
    assertThat(sum).isEqualTo(5);
    assertThatThrownBy(
            () -> map.lookup(arena.allocateFrom(ValueLayout.JAVA_INT, 0), arena.allocate(8)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void staysUsableAfterItsObjectIsClosedOnlyThroughAPin() {
    BpfMap map = object.map("a_hash");
    object.close();
    assertThatThrownBy(() -> map.delete(key(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private Map<Long, Long> readAll(BpfMap map, int portion) {
    Map<Long, Long> found = new HashMap<>();
    try (BpfMapReader reader = map.reader(portion)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          long key = reader.keys().getAtIndex(ValueLayout.JAVA_LONG, i);
          found.put(key, reader.values().get(ValueLayout.JAVA_LONG, (long) i * VALUE_SIZE));
        }
      }
    }
    return found;
  }

  private MemorySegment key(long key) {
    return arena.allocateFrom(ValueLayout.JAVA_LONG, key);
  }

  private MemorySegment value(long a) {
    MemorySegment value = arena.allocate(VALUE_SIZE, 8);
    value.set(ValueLayout.JAVA_LONG, 0, a);
    return value;
  }

  private MemorySegment keys(int from, int count) {
    MemorySegment keys = arena.allocate(8L * count, 8);
    for (int i = 0; i < count; i++) {
      keys.setAtIndex(ValueLayout.JAVA_LONG, i, from + i);
    }
    return keys;
  }

  private MemorySegment values(int from, int count) {
    MemorySegment values = arena.allocate((long) VALUE_SIZE * count, 8);
    for (int i = 0; i < count; i++) {
      values.set(ValueLayout.JAVA_LONG, (long) i * VALUE_SIZE, (from + i) * 10L);
    }
    return values;
  }
}
