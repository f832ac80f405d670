// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * After how many seconds without a packet the kernel forgets flows (nf_conntrack-sysctl.rst), in
 * the network namespace of the thread that reads them.
 *
 * @param tcpEstablished TCP connections that are open
 * @param udp datagrams that got no answer yet
 * @param udpStream datagrams that went both ways for a while
 */
public record ConntrackTimeouts(int tcpEstablished, int udp, int udpStream) {
  private static final int TCP = 6;
  private static final int CLOSING_SECONDS = 120;

  /** What the kernel has now; its defaults where it does not tell. */
  public static ConntrackTimeouts read() {
    return new ConntrackTimeouts(
        read("tcp_timeout_established", 432_000),
        read("udp_timeout", 30),
        read("udp_timeout_stream", 120));
  }

  /** What a flow gets that went both ways. */
  public int of(int protocol, boolean closing) {
    if (closing) {
      return CLOSING_SECONDS;
    }
    return protocol == TCP ? tcpEstablished : udpStream;
  }

  private static int read(String setting, int otherwise) {
    String value = new Sysctl("net.netfilter.nf_conntrack_" + setting).value();
    return value == null ? otherwise : Integer.parseInt(value);
  }
}
