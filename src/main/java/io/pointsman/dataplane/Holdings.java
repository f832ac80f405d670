// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

/**
 * What somebody who serves Services has in the kernel.
 *
 * @param entries what goes when it leaves, counted as in {@link PlannedWrites}
 * @param flows established flows that need it, or that began through it
 */
public record Holdings(long entries, long flows) {
  /** Nothing of it is there. */
  public static final Holdings NONE = new Holdings(0, 0);

  /** Both together. */
  public Holdings plus(Holdings other) {
    return new Holdings(entries + other.entries, flows + other.flows);
  }
}
