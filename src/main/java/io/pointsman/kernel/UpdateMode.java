// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/** What an update of a map does about an entry that is there, or is not (bpf(2)). */
public enum UpdateMode {
  /** Adds or replaces. */
  ANY(0),
  /** Adds; EEXIST when the key is there. */
  ADD(1),
  /** Replaces; ENOENT when the key is not there. */
  REPLACE(2);

  private final long flag;

  UpdateMode(long flag) {
    this.flag = flag;
  }

  long flag() {
    return flag;
  }
}
