// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

/** How far kube-proxy's pod on a node is; a node without any has none. */
public enum PodState {
  /** There is one, starting, ending or unready. */
  PRESENT,
  /** One is Ready and not ending. */
  READY
}
