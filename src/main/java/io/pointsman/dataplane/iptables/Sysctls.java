// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.kernel.Sysctl;

/** The kernel's settings that the rules depend on (ip-sysctl.rst). */
final class Sysctls {
  /** Lets node ports answer at 127.0.0.1. */
  static final Sysctl ROUTE_LOCALNET = new Sysctl("net.ipv4.conf.all.route_localnet");

  static final Sysctl BRIDGE_CALLS = new Sysctl("net.bridge.bridge-nf-call-iptables");

  private Sysctls() {}
}
