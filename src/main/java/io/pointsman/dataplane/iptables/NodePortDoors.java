// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import java.util.List;
import java.util.Set;

/** The last rules of KUBE-SERVICES, which lead what is for the node itself to its node ports. */
final class NodePortDoors {
  private static final String WORDS =
      "-m comment --comment \"kubernetes service nodeports;"
          + " NOTE: this must be the last rule in this chain\" ";
  private static final String TO = " -j " + ChainNames.NODE_PORTS;

  private NodePortDoors() {}

  /**
   * One rule for all addresses of the node when all of them answer, as kube-proxy has it, else one
   * for each.
   *
   * @param wanted addresses that answer on node ports
   * @param present addresses that the node has
   */
  static List<String> rules(IpFamily family, Set<Address> wanted, Set<Address> present) {
    boolean all = present.stream().allMatch(it -> it.family() != family || wanted.contains(it));
    if (all) {
      // Node ports never worked on IPv6's loopback address, and the kernel would only complain.
      String but = family == IpFamily.IPV6 ? "! -d ::1/128 " : "";
      return List.of(WORDS + but + "-m addrtype --dst-type LOCAL" + TO);
    }
    return wanted.stream()
        .filter(it -> it.family() == family)
        .sorted()
        .map(it -> WORDS + "-d " + it + TO)
        .toList();
  }

  /** Whether they lead what comes to 127.0.0.1 to node ports. */
  static boolean leadLoopback(List<String> rules) {
    return rules.stream().anyMatch(it -> it.contains(" LOCAL ") || it.contains(" -d 127."));
  }
}
