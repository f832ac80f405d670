// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.net.Inet6Address;
import java.net.InetAddress;

/**
 * Names a virtual server of ip_vs.
 *
 * @param protocol the IANA number
 */
public record VirtualServer(InetAddress address, int port, int protocol) {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SCTP = 132;

  /** Whether it serves IPv6. */
  public boolean isV6() {
    return address instanceof Inet6Address;
  }

  /** As ipvsadm writes it: {@code TCP 10.96.0.1:443}. */
  @Override
  public String toString() {
    String name =
        protocol == TCP
            ? "TCP"
            : protocol == UDP ? "UDP" : protocol == SCTP ? "SCTP" : Integer.toString(protocol);
    return name + " " + RealServer.text(address, port);
  }
}
