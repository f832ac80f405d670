// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.net.Inet6Address;
import java.net.InetAddress;

/** Names a real server behind a virtual one. */
public record RealServer(InetAddress address, int port) {
  @Override
  public String toString() {
    return text(address, port);
  }

  static String text(InetAddress address, int port) {
    String host = address.getHostAddress();
    return (address instanceof Inet6Address ? "[" + host + "]" : host) + ":" + port;
  }
}
