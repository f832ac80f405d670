// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The entries of nat_be as they were read, column by column. */
final class BackendRows {
  private static final int FIRST_CAPACITY = 4096;

  int size;
  int[] set = new int[FIRST_CAPACITY];
  int[] ordinal = new int[FIRST_CAPACITY];
  long[] high = new long[FIRST_CAPACITY];
  long[] low = new long[FIRST_CAPACITY];

  /** Port and weight: port &lt;&lt; 16 | weight. */
  int[] port = new int[FIRST_CAPACITY];

  int[] flags = new int[FIRST_CAPACITY];

  /** The set's id as it stands in the value. */
  int[] inner = new int[FIRST_CAPACITY];

  void add(MemorySegment keys, MemorySegment values, int entry) {
    if (size == set.length) {
      grow();
    }
    long key = (long) entry * Layout.BE_KEY_SIZE;
    long value = (long) entry * Layout.BE_SIZE;
    set[size] = Layout.getInt(keys, key + Layout.BE_KEY_ID);
    ordinal[size] = Layout.getInt(keys, key + Layout.BE_KEY_ORDINAL);
    high[size] = Layout.addressHigh(values, value + Layout.BE_ADDR);
    low[size] = Layout.addressLow(values, value + Layout.BE_ADDR);
    port[size] =
        Layout.port(values, value + Layout.BE_PORT) << 16
            | Layout.getShort(values, value + Layout.BE_WEIGHT);
    flags[size] = Layout.getInt(values, value + Layout.BE_FLAGS);
    inner[size] = Layout.getInt(values, value + Layout.BE_ID);
    size++;
  }

  int port(int row) {
    return port[row] >>> 16;
  }

  int weight(int row) {
    return port[row] & 0xffff;
  }

  private void grow() {
    int capacity = size * 2;
    set = Arrays.copyOf(set, capacity);
    ordinal = Arrays.copyOf(ordinal, capacity);
    high = Arrays.copyOf(high, capacity);
    low = Arrays.copyOf(low, capacity);
    port = Arrays.copyOf(port, capacity);
    flags = Arrays.copyOf(flags, capacity);
    inner = Arrays.copyOf(inner, capacity);
  }
}
