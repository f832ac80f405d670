// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A real server as the kernel holds it.
 *
 * @param weight its share; 0 takes no new connections
 * @param forwarding IP_VS_CONN_F_* of linux/ip_vs.h, {@link #MASQUERADE} for NAT
 * @param active established connections
 * @param inactive all other connections
 * @param persistent clients that stay with it
 */
public record RealServerInfo(
    RealServer server, int weight, int forwarding, long active, long inactive, long persistent) {
  /** The kernel translates addresses both ways. */
  public static final int MASQUERADE = 0;

  /** How many connections there are. */
  public long connections() {
    return active + inactive;
  }
}
