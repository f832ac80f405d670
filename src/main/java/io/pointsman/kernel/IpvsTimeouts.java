// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * How long ip_vs remembers a connection that is silent, in seconds; 0 leaves a value as it is.
 *
 * @param tcp established TCP
 * @param tcpFin TCP after a FIN
 * @param udp UDP
 */
public record IpvsTimeouts(int tcp, int tcpFin, int udp) {}
