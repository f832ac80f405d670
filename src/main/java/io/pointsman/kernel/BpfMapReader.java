// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads all entries of a map in portions into one buffer, which it keeps for the next time. Entries
 * that change meanwhile may be seen or not. For one thread.
 *
 * <pre>{@code
 * reader.rewind();
 * while (reader.next()) { // reader.count() entries in reader.keys() and reader.values()
 * }
 * }</pre>
 */
public final class BpfMapReader implements AutoCloseable {
  private static final int MIN_CURSOR = 16;

  private final BpfMap map;
  private final Arena fixed = Arena.ofShared();
  private final MemorySegment number;
  private final MemorySegment cursor;
  private final MemorySegment nextCursor;
  private Arena arena = Arena.ofShared();
  private MemorySegment keys;
  private MemorySegment values;
  private int capacity;
  private int count;
  private boolean started;
  private boolean ended;

  BpfMapReader(BpfMap map, int entries) {
    this.map = map;
    this.capacity = Math.max(1, Math.min(entries, map.maxEntries()));
    this.number = fixed.allocate(ValueLayout.JAVA_INT);
    long cursorSize = Math.max(MIN_CURSOR, map.keySize());
    this.cursor = fixed.allocate(cursorSize, Long.BYTES);
    this.nextCursor = fixed.allocate(cursorSize, Long.BYTES);
    this.keys = arena.allocate((long) capacity * map.keySize(), Long.BYTES);
    this.values = arena.allocate(capacity * map.bufferSize(), Long.BYTES);
  }

  /** Starts from the beginning. */
  public void rewind() {
    started = false;
    ended = false;
    count = 0;
  }

  /** Reads the next portion; false when there is none. */
  public boolean next() {
    count = 0;
    while (!ended && count == 0) {
      if (map.batches()) {
        nextBatch();
      } else {
        nextSingles();
      }
    }
    return count > 0;
  }

  /** How many entries the portion has. */
  public int count() {
    return count;
  }

  /** The keys of the portion, without gaps; valid until the next call. */
  public MemorySegment keys() {
    return keys;
  }

  /** The values of the portion, without gaps; valid until the next call. */
  public MemorySegment values() {
    return values;
  }

  @Override
  public void close() {
    arena.close();
    fixed.close();
  }

  private void nextBatch() {
    number.set(ValueLayout.JAVA_INT, 0, capacity);
    MemorySegment from = started ? cursor : MemorySegment.NULL;
    int result = LibbpfMaps.lookupBatch(map.fd(), from, nextCursor, keys, values, number);
    if (!started && map.noBatch(result)) {
      return;
    }
    if (result == -Errno.ENOSPC.number()) {
      grow(); // one bucket of the hash holds more than the buffer
      return;
    }
    ended = result == -Errno.ENOENT.number();
    if (!ended) {
      map.check(result, "read batch of map");
    }
    count = number.get(ValueLayout.JAVA_INT, 0);
    cursor.copyFrom(nextCursor);
    started = true;
  }

  private void nextSingles() {
    int keySize = map.keySize();
    while (count < capacity) {
      MemorySegment from = started ? cursor : MemorySegment.NULL;
      int result = LibbpfMaps.nextKey(map.fd(), from, nextCursor);
      if (result == -Errno.ENOENT.number()) {
        ended = true;
        return;
      }
      map.check(result, "read next key of map");
      cursor.copyFrom(nextCursor);
      started = true;
      MemorySegment value = values.asSlice(count * map.bufferSize());
      if (map.lookup(cursor, value)) {
        MemorySegment.copy(cursor, 0, keys, (long) count * keySize, keySize);
        count++;
      }
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // closed by close() or by the next growth
  private void grow() {
    capacity *= 2;
    arena.close();
    arena = Arena.ofShared();
    keys = arena.allocate((long) capacity * map.keySize(), Long.BYTES);
    values = arena.allocate(capacity * map.bufferSize(), Long.BYTES);
  }
}
