// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.Sysctl;
import io.pointsman.testing.uml.InnerTests;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
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

  /**
   * How many mappings a process may have. Each page of a process inside is one outside, and above
   * 256 MB, as an API server with 10,000 Services has, User-Mode Linux ends it at the usual limit.
   */
  private static final Sysctl MAPPINGS = new Sysctl("vm.max_map_count");

  @TestFactory
  List<DynamicTest> inside() {
    String before = Objects.requireNonNull(MAPPINGS.value());
    // Also when it is interrupted, which takes no finally.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> MAPPINGS.set(before)));
    assertThat(MAPPINGS.set("2000000")).isTrue();
    return InnerTests.run(
        new UserModeLinux(MEGABYTES, IpvsKernelTest.MODULES, Duration.ofMinutes(MINUTES)),
        Duration.ofMinutes(MINUTES),
        List.of(),
        IpvsSyncInside.class);
  }
}
