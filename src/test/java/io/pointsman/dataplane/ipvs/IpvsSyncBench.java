// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.testing.uml.InnerTests;
import io.pointsman.testing.uml.Mappings;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** IPVS and a kube-proxy in its ipvs mode, both in the kernel of User-Mode Linux, which has it. */
@Tag("bench")
@Timeout(value = IpvsSyncBench.MINUTES + 10, unit = TimeUnit.MINUTES)
class IpvsSyncBench {
  static final int MINUTES = 180;
  private static final int MEGABYTES = 10_240;

  @TestFactory
  List<DynamicTest> inside() {
    Mappings.raise();
    return InnerTests.run(
        new UserModeLinux(MEGABYTES, IpvsKernelTest.MODULES, Duration.ofMinutes(MINUTES)),
        Duration.ofMinutes(MINUTES),
        List.of(),
        IpvsSyncInside.class);
  }
}
