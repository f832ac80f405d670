// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * The edges of IPVS on a whole cluster in User-Mode Linux, because this kernel may lack ip_vs. A
 * boot each, so that each can be run alone; the tag {@code lab} has what every change must pass.
 */
@Tag("lab-uml")
@OnlyInLab("the cluster is made inside User-Mode Linux")
@Order(UserModeLinux.FIRST)
@Timeout(value = 80, unit = TimeUnit.MINUTES)
class IpvsEdgesTest {
  private static final Duration EACH = Duration.ofMinutes(25);

  @Tag("lab")
  @TestFactory
  List<DynamicTest> amongKubeProxyIpvsIpvsAndBpf() {
    return inside(IpvsEdgesInside.AndBpf.class);
  }

  @TestFactory
  List<DynamicTest> betweenIpvsAndIptables() {
    return inside(IpvsEdgesInside.AndIptables.class);
  }

  @TestFactory
  List<DynamicTest> betweenKubeProxyIptablesAndIpvs() {
    return inside(IpvsEdgesInside.AndKubeProxyIptables.class);
  }

  private static List<DynamicTest> inside(Class<?> walk) {
    return InnerLab.run(InnerLab.userModeLinux(EACH.plusMinutes(5)), EACH, walk);
  }
}
