// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

/** Where one node stands in the rollout. */
enum Standing {
  /** Rests where it is and waits for its turn to go elsewhere. */
  WAITING,
  /** Not taken over now because it is NotReady or leaving; does not hold up the others. */
  SKIPPED,
  /** On its way to the dataplane. */
  SWITCHING,
  /** Proven to serve by the wanted dataplane. */
  CONVERGED,
  /** On its way back to where it began, which does not serve there yet. */
  RETURNING,
  /** What it goes to serves; the dataplane before only ends its flows. */
  DRAINING,
  /** Failed and back where it began. */
  ROLLED_BACK,
  /** Failed and stays where it is, or cannot get back. */
  FAILED,
  /** Not ruled any more and back on kube-proxy, or gone. */
  LEFT
}
