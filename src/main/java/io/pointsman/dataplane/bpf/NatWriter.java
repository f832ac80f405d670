// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.kernel.BpfMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Collects changes of nat_fe and nat_be and writes them in batches, always in the order in which no
 * lookup fails: new backends, frontends, frontends to delete, backends to delete. Its buffers live
 * as long as it does; collecting allocates nothing.
 */
final class NatWriter implements AutoCloseable {
  private static final int PORTION = 16_384;

  private final BpfMap natFe;
  private final BpfMap natBe;
  private final int scheduler;
  private final boolean counting;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment feKeys = arena.allocate((long) PORTION * Layout.FE_KEY_SIZE, 8);
  private final MemorySegment feValues = arena.allocate((long) PORTION * Layout.FE_SIZE, 8);
  private final MemorySegment beKeys = arena.allocate((long) PORTION * Layout.BE_KEY_SIZE, 8);
  private final MemorySegment beValues = arena.allocate((long) PORTION * Layout.BE_SIZE, 8);
  private final MemorySegment goneFe = arena.allocate((long) PORTION * Layout.FE_KEY_SIZE, 8);
  private final MemorySegment goneBe = arena.allocate((long) PORTION * Layout.BE_KEY_SIZE, 8);
  private int feCount;
  private int beCount;
  private int goneFeCount;
  private int goneBeCount;
  private int written;
  private int deleted;

  /**
   * With empty buffers.
   *
   * @param counting whether nothing is written, only counted
   */
  NatWriter(BpfMap natFe, BpfMap natBe, int scheduler, boolean counting) {
    this.natFe = natFe;
    this.natBe = natBe;
    this.scheduler = scheduler;
    this.counting = counting;
  }

  /** Entries written since {@link #begin}. */
  int written() {
    return written;
  }

  /** Entries deleted since {@link #begin}. */
  int deleted() {
    return deleted;
  }

  /** Forgets what was collected and not written, and starts counting anew. */
  void begin() {
    feCount = 0;
    beCount = 0;
    goneFeCount = 0;
    goneBeCount = 0;
    written = 0;
    deleted = 0;
  }

  /** Collects a whole backend set: the local ones, the others, and those that only have flows. */
  void putSet(ServicePort port, int set) {
    int ordinal = 0;
    int size = port.backends().size();
    for (int i = 0; i < size; i++) {
      Backend backend = port.backends().get(i);
      if (backend.local()) {
        putBackend(set, ordinal++, backend);
      }
    }
    for (int i = 0; i < size; i++) {
      Backend backend = port.backends().get(i);
      if (!backend.local()) {
        putBackend(set, ordinal++, backend);
      }
    }
    for (int i = 0; i < port.terminating().size(); i++) {
      putBackend(set, ordinal++, port.terminating().get(i));
    }
  }

  void putFrontend(Frontend frontend, NatEntry entry) {
    if (feCount == PORTION) {
      flush();
    }
    Layout.putFrontendKey(
        feKeys,
        (long) feCount * Layout.FE_KEY_SIZE,
        frontend.address(),
        frontend.port(),
        frontend.protocol().number());
    long at = (long) feCount * Layout.FE_SIZE;
    Layout.putInt(feValues, at + Layout.FE_ID, entry.set());
    Layout.putInt(feValues, at + Layout.FE_COUNT, entry.port().backends().size());
    Layout.putInt(feValues, at + Layout.FE_LOCAL, entry.local());
    Layout.putInt(feValues, at + Layout.FE_SERVICE, entry.service());
    Layout.putInt(feValues, at + Layout.FE_AFFINITY, 0);
    Layout.putInt(feValues, at + Layout.FE_FLAGS, 0);
    // Round robin starts elsewhere after each change, or the first backend would get the most.
    Layout.putInt(feValues, at + Layout.FE_CURSOR, entry.set());
    Layout.putInt(feValues, at + Layout.FE_SCHEDULER, 0);
    Layout.putByte(feValues, at + Layout.FE_SCHEDULER, scheduler);
    Layout.putByte(feValues, at + Layout.FE_KIND, Layout.kind(frontend.kind()));
    Layout.putShort(feValues, at + Layout.FE_TERMINATING, entry.port().terminating().size());
    feCount++;
  }

  void deleteFrontend(Frontend frontend) {
    Layout.putFrontendKey(
        goneFe,
        nextGoneFrontend(),
        frontend.address(),
        frontend.port(),
        frontend.protocol().number());
  }

  /** Collects the deletion of an entry as it was read, whatever its key. */
  void deleteFrontend(FrontendRows rows, int row) {
    long at = nextGoneFrontend();
    Layout.putAddress(
        goneFe, at, new io.pointsman.catalogue.Address(rows.high[row], rows.low[row]));
    Layout.putPort(goneFe, at + Layout.FE_KEY_PORT, rows.port(row));
    Layout.putByte(goneFe, at + Layout.FE_KEY_PROTO, rows.protocol(row));
    Layout.putByte(goneFe, at + Layout.FE_KEY_SCOPE, rows.scope(row));
  }

  void deleteBackend(int set, int ordinal) {
    if (goneBeCount == PORTION) {
      flush();
    }
    Layout.putBackendKey(goneBe, (long) goneBeCount * Layout.BE_KEY_SIZE, set, ordinal);
    goneBeCount++;
  }

  /** Writes everything that was collected. */
  void flush() {
    flushBackends();
    if (feCount > 0) {
      update(natFe, feKeys, feValues, feCount);
      written += feCount;
      feCount = 0;
    }
    if (goneFeCount > 0) {
      deleted += delete(natFe, goneFe, goneFeCount);
      goneFeCount = 0;
    }
    if (goneBeCount > 0) {
      deleted += delete(natBe, goneBe, goneBeCount);
      goneBeCount = 0;
    }
  }

  @Override
  public void close() {
    arena.close();
  }

  private void putBackend(int set, int ordinal, Backend backend) {
    if (beCount == PORTION) {
      flushBackends();
    }
    Layout.putBackendKey(beKeys, (long) beCount * Layout.BE_KEY_SIZE, set, ordinal);
    long at = (long) beCount * Layout.BE_SIZE;
    Layout.putAddress(beValues, at + Layout.BE_ADDR, backend.address());
    Layout.putPort(beValues, at + Layout.BE_PORT, backend.port());
    Layout.putShort(beValues, at + Layout.BE_WEIGHT, 1);
    Layout.putInt(beValues, at + Layout.BE_FLAGS, backend.local() ? Layout.BE_LOCAL : 0);
    Layout.putInt(beValues, at + Layout.BE_ID, set);
    beCount++;
  }

  private void flushBackends() {
    if (beCount > 0) {
      update(natBe, beKeys, beValues, beCount);
      written += beCount;
      beCount = 0;
    }
  }

  private void update(BpfMap map, MemorySegment keys, MemorySegment values, int count) {
    if (!counting) {
      map.updateBatch(keys, values, count);
    }
  }

  private int delete(BpfMap map, MemorySegment keys, int count) {
    return counting ? count : map.deleteBatch(keys, count);
  }

  private long nextGoneFrontend() {
    if (goneFeCount == PORTION) {
      flush();
    }
    return (long) goneFeCount++ * Layout.FE_KEY_SIZE;
  }
}
