// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.Objects;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.Sysctl;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ForwardingFindingsTest {
  private static final String V4 = "net.ipv4.ip_forward";
  private static final String V6 = "net.ipv6.conf.all.forwarding";

  private final Map<String, @Nullable String> values = new HashMap<>();
  private final NodeFacts node =
      new NodeFacts() {
        @Override
        public @Nullable String value(Sysctl setting) {
          return values.get(setting.text());
        }
      };

  @Test
  void eachFamilyOfTheServicesIsLookedAt() {
    values.put(V4, "0");
    values.put(V6, "0");
    for (LinuxDataplane kind : List.of(LinuxDataplane.BPF, LinuxDataplane.IPTABLES)) {
      assertThat(found(kind, "10.96.0.50", "fd00:10:96::50"))
          .containsExactly(off("IPv4", V4), off("IPv6", V6));
      assertThat(found(kind, "10.96.0.50")).containsExactly(off("IPv4", V4));
      assertThat(found(kind, "fd00:10:96::50")).containsExactly(off("IPv6", V6));
    }
    assertThat(found(LinuxDataplane.IPVS, "10.96.0.50", "fd00:10:96::50"))
        .as("IPVS sets the other one")
        .containsExactly(off("IPv6", V6));
  }

  @Test
  void whatIsOnOrNotThereIsNoFinding() {
    values.put(V4, "1");
    assertThat(found(LinuxDataplane.BPF, "10.96.0.50", "fd00:10:96::50")).isEmpty();
  }

  @Test
  void settingsAreThoseOfTheThreadsNetwork() {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      assertThat(sandbox.inNamespace(() -> NodeFacts.HERE.value(new Sysctl(V6)))).isEqualTo("0");
      assertThat(sandbox.inNamespace(() -> new Sysctl(V6).set("1"))).isTrue();
      assertThat(sandbox.inNamespace(() -> NodeFacts.HERE.value(new Sysctl(V6)))).isEqualTo("1");
    }
  }

  private List<Finding> found(LinuxDataplane kind, String... clusterIps) {
    Catalogue catalogue = Catalogue.forNode("node-1");
    catalogue.upsertService(
        new ServiceReader(new Names()).read(Objects.service("web", clusterIps)));
    return ForwardingFindings.of(kind, catalogue, node);
  }

  private static Finding off(String family, String setting) {
    return new Finding(
        Severity.WARNING,
        "ForwardingOff",
        "The node does not forward "
            + family
            + " packets, so that only its own processes reach pods through Services: "
            + setting
            + " is 0.",
        "On the node: sysctl -w " + setting + "=1");
  }
}
