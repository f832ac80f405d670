// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.DigestBuilder;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * What nat_fe and nat_be held when they were read: every backend set with its backends in order.
 * Built without an object per entry.
 */
final class NatTable {
  static final int NO_ROW = -1;

  final FrontendRows frontends;
  final BackendRows backends;

  /** Which set a frontend's row uses, as an index of the arrays below. */
  final int[] setOf;

  /** The frontend's row that a set was first seen at. */
  final int[] firstFrontend;

  final int[] offset;

  /** How many backends a set has. */
  final int[] length;

  /** How many rows stand behind them, of endpoints that terminate. */
  final int[] terminating;

  int sets;

  /** Rows of backends, ordered by set and ordinal; {@link #NO_ROW} where one is missing. */
  final int[] rowAt;

  private final IntIndex index;

  NatTable(FrontendRows frontends, BackendRows backends, int maxBackends) {
    this.frontends = frontends;
    this.backends = backends;
    this.setOf = new int[frontends.size];
    this.firstFrontend = new int[frontends.size];
    this.offset = new int[frontends.size];
    this.length = new int[frontends.size];
    this.terminating = new int[frontends.size];
    this.index = new IntIndex(frontends.size);
    this.rowAt = new int[layOutSets(maxBackends)];
    Arrays.fill(rowAt, NO_ROW);
    for (int row = 0; row < backends.size; row++) {
      int position = position(row);
      if (position >= 0) {
        rowAt[position] = row;
      }
    }
  }

  /** Where a backend's row belongs, -1 when no frontend uses it. */
  int position(int row) {
    int set = index.get(backends.set[row]);
    if (set == IntIndex.NONE) {
      return -1;
    }
    int ordinal = backends.ordinal[row];
    return ordinal >= 0 && ordinal < rows(set) ? offset[set] + ordinal : -1;
  }

  /** How many rows a set has. */
  int rows(int set) {
    return length[set] + terminating[set];
  }

  /** The index of a set by its id, {@link IntIndex#NONE} when no frontend uses it. */
  int setIndex(int id) {
    return index.get(id);
  }

  /** Every set id in either map, some more than once. */
  void forEachSetId(IntConsumer id) {
    for (int row = 0; row < frontends.size; row++) {
      id.accept(frontends.set[row]);
    }
    for (int row = 0; row < backends.size; row++) {
      id.accept(backends.set[row]);
    }
  }

  /** Every number of a Service, some more than once. */
  void forEachService(IntConsumer number) {
    for (int row = 0; row < frontends.size; row++) {
      number.accept(frontends.service[row]);
    }
  }

  /** The digest of all of it; missing backends are simply not in it. */
  Digest digest() {
    DigestBuilder sum = new DigestBuilder();
    for (int row = 0; row < frontends.size; row++) {
      sum.frontend(
          frontends.high[row], frontends.low[row], frontends.port(row), frontends.protocol(row));
      int set = setOf[row];
      for (int i = offset[set]; i < offset[set] + length[set]; i++) {
        int backend = rowAt[i];
        if (backend != NO_ROW) {
          sum.backend(backends.high[backend], backends.low[backend], backends.port(backend));
        }
      }
    }
    return sum.digest();
  }

  /** How many pairs of frontend and backend there are. */
  int pairs() {
    int pairs = 0;
    for (int row = 0; row < frontends.size; row++) {
      int set = setOf[row];
      for (int i = offset[set]; i < offset[set] + length[set]; i++) {
        pairs += rowAt[i] == NO_ROW ? 0 : 1;
      }
    }
    return pairs;
  }

  private int layOutSets(int maxBackends) {
    int total = 0;
    for (int row = 0; row < frontends.size; row++) {
      int id = frontends.set[row];
      int set = index.get(id);
      if (set == IntIndex.NONE) {
        set = sets++;
        index.put(id, set);
        firstFrontend[set] = row;
        offset[set] = total;
        length[set] = plausible(frontends.count[row], maxBackends - total);
        total += length[set];
        terminating[set] = plausible(frontends.terminating[row], maxBackends - total);
        total += terminating[set];
      }
      setOf[row] = set;
    }
    return total;
  }

  /** A count beyond the map's size is no count; the comparison of digests shows it. */
  private static int plausible(int count, int most) {
    return Integer.compareUnsigned(count, most) <= 0 ? count : 0;
  }
}
