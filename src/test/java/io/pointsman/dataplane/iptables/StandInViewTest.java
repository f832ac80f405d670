// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.Iptables.View;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StandInViewTest {
  private static final View VIEW = StandInView.INSTANCE;

  @ParameterizedTest
  @CsvSource({
    ":KUBE-SERVICES - [0:0], :STANDIN-SERVICES - [0:0]",
    "-A KUBE-SVC-AAAABBBBCCCCDDDD -j KUBE-SEP-0, -A STANDIN-SVC-AAAABBBBCCCCDDDD -j STANDIN-SEP-0",
    "-I PREROUTING -j KUBE-SERVICES, -I PREROUTING -j STANDIN-SERVICES",
    "-X POINTSMAN-STATE, -X STANDIN-STATE"
  })
  void chainsHaveOtherNamesInTheKernelAndTheirOwnWhenRead(String line, String inKernel) {
    assertThat(VIEW.write(line)).isEqualTo(inKernel);
    assertThat(VIEW.read(inKernel)).isEqualTo(line);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ":KUBE-SERVICES - [0:0]",
        "[1:60] -A KUBE-SVC-AAAABBBBCCCCDDDD -j KUBE-SEP-0",
        "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
        "-A KUBE-NODE-PORT -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ",
        ":KUBE-PROXY-CANARY - [0:0]",
        ":POINTSMAN-STATE - [0:0]",
        "-A POSTROUTING -j POINTSMAN-POSTROUTING"
      })
  void whatKubeProxyOrADataplaneHasIsNotSeen(String line) {
    assertThat(VIEW.read(line)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*nat",
        "COMMIT",
        ":KUBE-FIREWALL - [0:0]",
        "-A INPUT -j KUBE-FIREWALL",
        ":KUBE-KUBELET-CANARY - [0:0]",
        "-A FORWARD -j CNI-FORWARD"
      })
  void whatIsSharedWithEverybodyStaysAsItIs(String line) {
    assertThat(VIEW.read(line)).isEqualTo(line);
    assertThat(VIEW.write(line)).isEqualTo(line);
  }

  @ParameterizedTest
  @ValueSource(strings = {"KUBE-SVC-AAAABBBBCCCCDDDD", "KUBE-EXTERNAL-SERVICES"})
  void namesFitIntoTheKernel(String name) {
    String written = VIEW.write(name);
    assertThat(written).hasSizeLessThanOrEqualTo(28);
  }
}
