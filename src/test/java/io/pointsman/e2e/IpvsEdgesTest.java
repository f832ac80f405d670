// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** The edges of IPVS on a whole cluster in User-Mode Linux, because this kernel may lack ip_vs. */
@Tag("lab-uml")
@OnlyInLab("the cluster is made inside User-Mode Linux")
@Timeout(value = IpvsEdgesTest.MINUTES + 10, unit = TimeUnit.MINUTES)
class IpvsEdgesTest {
  static final int MINUTES = 90;

  @TestFactory
  List<DynamicTest> inside() {
    return InnerLab.run(
        InnerLab.userModeLinux(Duration.ofMinutes(MINUTES)),
        Duration.ofMinutes(15),
        IpvsEdgesInside.class);
  }
}
