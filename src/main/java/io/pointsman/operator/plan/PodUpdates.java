// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

/** Who decides whether a DaemonSet replaces pods that are older than its pod template. */
public enum PodUpdates {
  /** The DaemonSet's own updateStrategy. */
  OWN,

  /** The operator: no pod is replaced that only lacks the selector. */
  KEPT,

  /** The operator, but somebody else has changed the DaemonSet since: pods may lack that, too. */
  KEPT_TOO_LONG
}
