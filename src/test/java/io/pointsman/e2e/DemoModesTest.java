// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.LinuxDataplane;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DemoModesTest {
  private final List<String> said = new ArrayList<>();

  private List<LinuxDataplane> modes(boolean hasIpvs, String... names) {
    return DemoModes.of(List.of(names), () -> hasIpvs, said::add);
  }

  @Test
  void aKernelWithIpvsShowsAllThatAreNamedInTheirOrder() {
    assertThat(modes(true, "IPVS", "bpf", "Iptables"))
        .containsExactly(LinuxDataplane.IPVS, LinuxDataplane.BPF, LinuxDataplane.IPTABLES);
    assertThat(said).isEmpty();
  }

  @Test
  void aKernelWithoutIpvsLeavesItOutAndSaysWhatHasIt() {
    assertThat(modes(false, "BPF", "ipvs", "Iptables"))
        .containsExactly(LinuxDataplane.BPF, LinuxDataplane.IPTABLES);
    assertThat(said).singleElement().asString().contains("IPVS is left out", "DEMO_KERNEL=uml");
  }

  @Test
  void nothingLeftAndNamesThatAreNoneAreRefused() {
    assertThatThrownBy(() -> modes(false, "IPVS")).hasMessage("no dataplane is left to show");
    assertThatThrownBy(() -> modes(true, "BPF", "Nftables"))
        .hasMessage("'Nftables' is no dataplane: use Iptables, IPVS or BPF");
  }
}
