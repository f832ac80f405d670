// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * How long ip_vs remembers a connection that is silent, in seconds; 0 leaves a value as it is.
 *
 * @param tcp established TCP
 * @param tcpFin TCP after a FIN
 * @param udp UDP
 */
public record IpvsTimeouts(int tcp, int tcpFin, int udp) {
  /** These, and the other's where these leave a value as it is. */
  public IpvsTimeouts or(IpvsTimeouts other) {
    return new IpvsTimeouts(
        tcp == 0 ? other.tcp : tcp,
        tcpFin == 0 ? other.tcpFin : tcpFin,
        udp == 0 ? other.udp : udp);
  }

  /** Of these only what the other does not leave as it is. */
  public IpvsTimeouts where(IpvsTimeouts other) {
    return new IpvsTimeouts(
        other.tcp == 0 ? 0 : tcp, other.tcpFin == 0 ? 0 : tcpFin, other.udp == 0 ? 0 : udp);
  }

  /** Of these only what the other leaves as it is. */
  public IpvsTimeouts without(IpvsTimeouts other) {
    return new IpvsTimeouts(
        other.tcp == 0 ? tcp : 0, other.tcpFin == 0 ? tcpFin : 0, other.udp == 0 ? udp : 0);
  }

  /** Of what is now, what these would change. */
  public IpvsTimeouts changing(IpvsTimeouts now) {
    IpvsTimeouts next = or(now);
    return new IpvsTimeouts(
        next.tcp == now.tcp ? 0 : now.tcp,
        next.tcpFin == now.tcpFin ? 0 : now.tcpFin,
        next.udp == now.udp ? 0 : now.udp);
  }
}
