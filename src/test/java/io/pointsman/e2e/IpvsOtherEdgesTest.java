// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * The edges of IPVS, and of a kube-proxy in ipvs mode, that {@link IpvsEdgesTest} leaves out for
 * their time.
 */
@Tag("lab-uml")
@OnlyInLab("the cluster is made inside User-Mode Linux")
@Timeout(value = IpvsOtherEdgesTest.MINUTES + 10, unit = TimeUnit.MINUTES)
class IpvsOtherEdgesTest {
  static final int MINUTES = 90;

  @TestFactory
  List<DynamicTest> inside() {
    return InnerLab.run(
        InnerLab.userModeLinux(Duration.ofMinutes(MINUTES)),
        Duration.ofMinutes(15),
        IpvsOtherEdgesInside.class);
  }
}
