// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.Iptables;

/** Which of iptables' programs belong to which IP family. */
public final class Families {
  private Families() {}

  /** The family whose rules a program writes. */
  public static IpFamily of(Iptables tool) {
    return switch (tool.family()) {
      case IPV4 -> IpFamily.IPV4;
      case IPV6 -> IpFamily.IPV6;
    };
  }

  /** The programs that write a family's rules. */
  public static Iptables.Family tools(IpFamily family) {
    return switch (family) {
      case IPV4 -> Iptables.Family.IPV4;
      case IPV6 -> Iptables.Family.IPV6;
    };
  }
}
