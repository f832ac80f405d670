// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import java.util.Arrays;

/** From ints to small non-negative ints, without objects; open addressing with linear probing. */
final class IntIndex {
  static final int NONE = -1;

  private static final int GOLDEN = 0x9e3779b9;

  private final int[] keys;
  private final int[] values;
  private final int mask;

  /** Room for a number of keys, at half load. */
  IntIndex(int expected) {
    int capacity = Integer.highestOneBit(Math.max(4, expected) * 2 - 1) * 2;
    keys = new int[capacity];
    values = new int[capacity];
    mask = capacity - 1;
    Arrays.fill(values, NONE);
  }

  int get(int key) {
    return values[slot(key)];
  }

  void put(int key, int value) {
    int slot = slot(key);
    keys[slot] = key;
    values[slot] = value;
  }

  private int slot(int key) {
    int hash = key * GOLDEN;
    int slot = (hash ^ hash >>> 15) & mask;
    while (values[slot] != NONE && keys[slot] != key) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
