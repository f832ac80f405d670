// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

/**
 * Who has which address in a lab. They are the same in every lab, for each has a network namespace
 * of its own, and none of them is reachable from the machine.
 */
public final class Addresses {
  /** The control plane, and the gateway of the nodes, on the lab's bridge. */
  public static final String CONTROL_PLANE_4 = "10.89.0.1";

  /** The same, IPv6. */
  public static final String CONTROL_PLANE_6 = "fd00:89::1";

  /** The client outside the cluster. */
  public static final String CLIENT_4 = "10.89.0.200";

  /** The same, IPv6. */
  public static final String CLIENT_6 = "fd00:89::200";

  /** All pods of the cluster. */
  public static final String POD_CIDR_4 = "10.244.0.0/16";

  /** The same, IPv6; each node has a /64 of it. */
  public static final String POD_CIDR_6 = "fd00:10:244::/56";

  /** All Services of the cluster. */
  public static final String SERVICE_CIDR_4 = "10.96.0.0/16";

  /** The same, IPv6. */
  public static final String SERVICE_CIDR_6 = "fd00:10:96::/112";

  static final String API_SERVICE_4 = "10.96.0.1";
  static final String API_SERVICE_6 = "fd00:10:96::1";
  static final String DNS_SERVICE_4 = "10.96.0.10";
  static final String DNS_SERVICE_6 = "fd00:10:96::a";
  static final int API_PORT = 6443;

  private Addresses() {}

  static String node4(int number) {
    return "10.89.0." + (10 + number);
  }

  static String node6(int number) {
    return "fd00:89::" + (10 + number);
  }

  static String pods4(int number) {
    return "10.244.%d.0/24".formatted(number);
  }

  static String pods6(int number) {
    return "fd00:10:244:%x::/64".formatted(number);
  }
}
