// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import org.junit.jupiter.api.Test;

/** What becomes of the kernel's setting when the dataplane leaves. */
class RouteLocalnetTest extends IptablesFixture {
  @Test
  void aSettingThatSomebodyChangedSinceStaysAsItIs() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("1");
            assertThat(Sysctls.ROUTE_LOCALNET.set("2")).isTrue();
            dataplane.remove();
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("2");
          }
        });
  }

  /** The note said what to put back, and went all the same. */
  @Test
  void aSettingThatCannotBePutBackIsToldAndStaysNoted() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            String name = Sysctls.ROUTE_LOCALNET.text();
            tables(Family.IPV4, Variant.NFT)
                .restore(
                    out ->
                        out.append("*nat\n-A POINTSMAN-STATE -m comment --comment \"")
                            .append(name + ": none\"\nCOMMIT\n"));
            assertThatThrownBy(dataplane::remove)
                .isInstanceOf(DataplaneException.class)
                .hasMessageContaining("sysctl -w " + name + "=none");
            assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
            assertThat(Sysctls.ROUTE_LOCALNET.set("0")).as("by hand").isTrue();
            dataplane.remove();
            assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
          }
        });
  }
}
