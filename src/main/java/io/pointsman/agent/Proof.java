// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.KernelState;
import io.pointsman.verify.Verdict;
import java.time.Instant;
import java.util.List;

/**
 * What the last read-back of the kernel showed.
 *
 * @param desired what the kernel should have held then
 * @param kernel what it held
 */
record Proof(
    Verdict verdict,
    Digest desired,
    Digest kernel,
    int frontends,
    int backends,
    List<KernelState.Setting> settings,
    Instant at) {
  boolean proven() {
    return verdict.proven();
  }

  /** The same at another time. */
  Proof at(Instant time) {
    return new Proof(verdict, desired, kernel, frontends, backends, settings, time);
  }
}
