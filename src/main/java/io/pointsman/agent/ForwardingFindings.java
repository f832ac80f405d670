// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.Sysctl;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What preflight says of a node that does not forward packets of a family that Services have. */
final class ForwardingFindings {
  private ForwardingFindings() {}

  static List<Finding> of(LinuxDataplane kind, Catalogue catalogue, NodeFacts facts) {
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    catalogue.forEachPort(port -> families.add(port.id().family()));
    if (kind == LinuxDataplane.IPVS) {
      families.remove(IpFamily.IPV4); // which IPVS sets itself
    }
    List<Finding> findings = new ArrayList<>();
    for (IpFamily family : families) {
      Sysctl setting = setting(family);
      if ("0".equals(facts.value(setting))) {
        findings.add(
            new Finding(
                Severity.WARNING,
                "ForwardingOff",
                "The node does not forward %s packets, so that only its own processes reach pods through Services: %s is 0."
                    .formatted(family.text(), setting.text()),
                "On the node: sysctl -w " + setting.text() + "=1"));
      }
    }
    return findings;
  }

  private static Sysctl setting(IpFamily family) {
    return switch (family) {
      case IPV4 -> new Sysctl("net.ipv4.ip_forward");
      case IPV6 -> new Sysctl("net.ipv6.conf.all.forwarding");
    };
  }
}
