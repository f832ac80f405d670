// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/** Where a frontend comes from in the Service. */
public enum FrontendKind {
  CLUSTER_IP,
  EXTERNAL_IP,
  LOAD_BALANCER,
  /**
   * Address is {@link Address#ANY_V4} or {@link Address#ANY_V6}: every node-port address of the
   * node.
   */
  NODE_PORT
}
