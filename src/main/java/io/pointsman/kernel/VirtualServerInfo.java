// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A virtual server as the kernel holds it.
 *
 * @param scheduler such as "rr"; its module is ip_vs_rr
 * @param flags IP_VS_SVC_F_* of linux/ip_vs.h
 * @param timeoutSeconds how long a client stays with its real server, when it is persistent
 */
public record VirtualServerInfo(
    VirtualServer server, String scheduler, int flags, int timeoutSeconds) {
  /** Connections of a client stay with one real server. */
  public static final int PERSISTENT = 0x1;

  /** Set by the kernel when the server is in its table. */
  public static final int HASHED = 0x2;

  /** The second flag of a scheduler: sh and mh then take the client's port into account. */
  public static final int SCHEDULER_2 = 0x10;
}
