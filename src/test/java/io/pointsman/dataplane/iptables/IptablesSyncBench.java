// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.KubeProxySync;
import io.pointsman.dataplane.SyncComparison;
import io.pointsman.testing.Bench;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Iptables against a kube-proxy in its iptables mode. */
@Tag("bench")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class IptablesSyncBench {
  /** kube-proxy's first sync takes the square of its rules: at 30,000 more than 79 minutes. */
  static IntStream sizes() {
    return Bench.sizes(100, 1_000, 10_000);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void programsAndChanges(int services) throws IOException {
    SyncComparison.run(
        services,
        () ->
            new IptablesDataplane(
                IptablesOptions.defaults(), IptablesFixture.settings(Scheduler.RANDOM)),
        KubeProxySync.IPTABLES);
  }
}
