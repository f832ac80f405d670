// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

/** How many flows the dataplane still carries while it drains. */
public record DrainState(long flows) {
  /** Whether nothing is left to wait for. */
  public boolean drained() {
    return flows == 0;
  }
}
