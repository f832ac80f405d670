// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The entries of nat_fe as they were read, column by column. */
final class FrontendRows {
  private static final int FIRST_CAPACITY = 1024;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  int size;
  long[] high = new long[FIRST_CAPACITY];
  long[] low = new long[FIRST_CAPACITY];

  /** Port, protocol and scope: port &lt;&lt; 16 | protocol &lt;&lt; 8 | scope. */
  int[] place = new int[FIRST_CAPACITY];

  int[] set = new int[FIRST_CAPACITY];
  int[] count = new int[FIRST_CAPACITY];
  int[] local = new int[FIRST_CAPACITY];
  int[] terminating = new int[FIRST_CAPACITY];
  int[] service = new int[FIRST_CAPACITY];
  int[] affinity = new int[FIRST_CAPACITY];
  int[] flags = new int[FIRST_CAPACITY];

  /** Scheduler and kind: scheduler &lt;&lt; 8 | kind. */
  int[] type = new int[FIRST_CAPACITY];

  private int[] index = {};

  void add(MemorySegment keys, MemorySegment values, int entry) {
    if (size == high.length) {
      grow();
    }
    long key = (long) entry * Layout.FE_KEY_SIZE;
    long value = (long) entry * Layout.FE_SIZE;
    high[size] = Layout.addressHigh(keys, key + Layout.FE_KEY_ADDR);
    low[size] = Layout.addressLow(keys, key + Layout.FE_KEY_ADDR);
    place[size] =
        Layout.port(keys, key + Layout.FE_KEY_PORT) << 16
            | Layout.getByte(keys, key + Layout.FE_KEY_PROTO) << 8
            | Layout.getByte(keys, key + Layout.FE_KEY_SCOPE);
    set[size] = Layout.getInt(values, value + Layout.FE_ID);
    count[size] = Layout.getInt(values, value + Layout.FE_COUNT);
    local[size] = Layout.getInt(values, value + Layout.FE_LOCAL);
    terminating[size] = Layout.getShort(values, value + Layout.FE_TERMINATING);
    service[size] = Layout.getInt(values, value + Layout.FE_SERVICE);
    affinity[size] = Layout.getInt(values, value + Layout.FE_AFFINITY);
    flags[size] = Layout.getInt(values, value + Layout.FE_FLAGS);
    type[size] =
        Layout.getByte(values, value + Layout.FE_SCHEDULER) << 8
            | Layout.getByte(values, value + Layout.FE_KIND);
    size++;
  }

  int port(int row) {
    return place[row] >>> 16;
  }

  int protocol(int row) {
    return place[row] >>> 8 & 0xff;
  }

  int scope(int row) {
    return place[row] & 0xff;
  }

  /** The row of a frontend, -1 when there is none. */
  int find(long addressHigh, long addressLow, int port, int protocol) {
    if (index.length == 0) {
      buildIndex();
    }
    int wanted = port << 16 | protocol << 8;
    int slot = hash(addressHigh, addressLow, wanted) & index.length - 1;
    while (index[slot] != 0) {
      int row = index[slot] - 1;
      if (low[row] == addressLow && high[row] == addressHigh && place[row] == wanted) {
        return row;
      }
      slot = slot + 1 & index.length - 1;
    }
    return -1;
  }

  private void buildIndex() {
    index = new int[Integer.highestOneBit(Math.max(4, size) * 2 - 1) * 2];
    for (int row = 0; row < size; row++) {
      int slot = hash(high[row], low[row], place[row]) & index.length - 1;
      while (index[slot] != 0) {
        slot = slot + 1 & index.length - 1;
      }
      index[slot] = row + 1;
    }
  }

  private static int hash(long high, long low, int place) {
    long hash = (high * 31 + low) * MIX + place;
    hash = (hash ^ hash >>> 32) * MIX;
    return (int) (hash >>> 32);
  }

  private void grow() {
    int capacity = size * 2;
    high = Arrays.copyOf(high, capacity);
    low = Arrays.copyOf(low, capacity);
    place = Arrays.copyOf(place, capacity);
    set = Arrays.copyOf(set, capacity);
    count = Arrays.copyOf(count, capacity);
    local = Arrays.copyOf(local, capacity);
    terminating = Arrays.copyOf(terminating, capacity);
    service = Arrays.copyOf(service, capacity);
    affinity = Arrays.copyOf(affinity, capacity);
    flags = Arrays.copyOf(flags, capacity);
    type = Arrays.copyOf(type, capacity);
  }
}
