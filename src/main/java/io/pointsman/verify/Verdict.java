// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify;

import java.util.List;

/**
 * What a comparison of kernel and desired state found.
 *
 * @param missing frontends that the kernel lacks
 * @param stale frontends that the kernel has and that belong to no Service
 * @param wrong frontends whose backends differ
 * @param defects what is wrong apart from frontends and backends: programs, links, addresses
 * @param samples up to {@link #MAX_SAMPLES} of all these, each a sentence
 */
public record Verdict(int missing, int stale, int wrong, int defects, List<String> samples) {
  /** How many differences are put into words. */
  public static final int MAX_SAMPLES = 10;

  /** The kernel holds exactly what it shall. */
  public static final Verdict PROVEN = new Verdict(0, 0, 0, 0, List.of());

  /** Takes a copy. */
  public Verdict {
    samples = List.copyOf(samples);
  }

  /** Whether nothing differs. */
  public boolean proven() {
    return mismatches() == 0;
  }

  /** All differences together. */
  public int mismatches() {
    return missing + stale + wrong + defects;
  }
}
