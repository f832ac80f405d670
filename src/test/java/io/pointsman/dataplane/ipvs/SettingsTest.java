// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.Sysctl;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is put back of the kernel's settings, without a kernel that has ip_vs. */
class SettingsTest {
  /** An earlier release noted it, and the node's CNI may need it by now. */
  @Test
  void forwardingStaysAlsoWhereANoteSaysOtherwise() {
    Sysctl forwarding = new Sysctl("net.ipv4.ip_forward");
    Sysctl arp = new Sysctl("net.ipv4.conf.all.arp_ignore");
    try (KernelSandbox node = new KernelSandbox()) {
      node.runInNamespace(
          () -> {
            assertThat(forwarding.set("1")).isTrue();
            assertThat(arp.set("1")).isTrue();
            new Settings(IpvsOptions.defaults())
                .restore(null, Map.of("ip_forward", "0", "conf.all.arp_ignore", "0"));
            assertThat(forwarding.value()).isEqualTo("1");
            assertThat(arp.value()).isEqualTo("0");
          });
    }
  }
}
