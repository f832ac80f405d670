// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.uml.StockKernel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * One node on Debian's own kernel goes through every dataplane and back, from each mode of
 * kube-proxy: the same image, nothing but the kernel different. A boot each, so that each can be
 * run alone.
 */
@Tag("lab-kernels")
@OnlyInLab("the cluster is made inside QEMU")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class StockKernelTest {
  private static final Duration EACH = Duration.ofMinutes(30);

  @TestFactory
  List<DynamicTest> fromKubeProxyIptables() {
    return inside(StockKernelInside.Iptables.class);
  }

  @TestFactory
  List<DynamicTest> fromKubeProxyNftables() {
    return inside(StockKernelInside.Nftables.class);
  }

  @TestFactory
  List<DynamicTest> fromKubeProxyIpvs() {
    return inside(StockKernelInside.Ipvs.class);
  }

  private static List<DynamicTest> inside(Class<?> walk) {
    return InnerLab.run(
        new StockKernel(InnerLab.MEGABYTES, InnerLab.MODULES, EACH.plusMinutes(10)), EACH, walk);
  }
}
