// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

/**
 * The flows that began through a dataplane that drains.
 *
 * @param flows how many there are
 * @param needed whether they end when the dataplane is removed; conntrack may carry them on
 */
public record DrainState(long flows, boolean needed) {
  /** Those that the dataplane carries itself. */
  public static DrainState carrying(long flows) {
    return new DrainState(flows, true);
  }

  /** Whether nothing is left to wait for. */
  public boolean drained() {
    return flows == 0 || !needed;
  }
}
