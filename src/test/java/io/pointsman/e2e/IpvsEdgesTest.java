// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The edges of IPVS on a whole cluster in User-Mode Linux, because this kernel may lack ip_vs. */
@Tag("lab-uml")
@OnlyInLab("the cluster is made inside User-Mode Linux")
class IpvsEdgesTest {
  @TestFactory
  List<DynamicTest> inside() {
    return InnerLab.run(
        new UserModeLinux(InnerLab.MEGABYTES, InnerLab.MODULES, Duration.ofMinutes(45)),
        Duration.ofMinutes(15),
        IpvsEdgesInside.class);
  }
}
