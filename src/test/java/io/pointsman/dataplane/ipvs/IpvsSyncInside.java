// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.KubeProxySync;
import io.pointsman.dataplane.SyncComparison;
import io.pointsman.testing.Bench;
import java.io.IOException;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** IPVS against a kube-proxy in its ipvs mode. */
public class IpvsSyncInside {
  static IntStream sizes() {
    // In User-Mode Linux more take longer than a run of all benchmarks should.
    return Bench.sizes(100, 1_000);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void programsAndChanges(int services) throws IOException {
    SyncComparison.run(
        services,
        () ->
            new IpvsDataplane(
                IpvsOptions.defaults(), new DataplaneSettings(Scheduler.RR, 30_000, 32_767)),
        KubeProxySync.IPVS);
  }
}
