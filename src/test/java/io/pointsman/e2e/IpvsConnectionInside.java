// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import io.pointsman.testing.Bench;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The part of {@link ConnectionBench} that needs ip_vs. */
public class IpvsConnectionInside {
  static {
    InnerWalk.askSeldom();
  }

  static IntStream sizes() {
    return Bench.sizes(1_000);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void ipvs(int services) {
    var options = LabOptions.named("bench").withNodes(1).withKubeProxyMode(KubeProxyMode.IPVS);
    ConnectionBench.measure(options, Pace.SLOW, LinuxDataplane.IPVS, services);
  }
}
