// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.agent.KubeProxyCleanerInside;
import io.pointsman.dataplane.bpf.TranslationHoldInside;
import io.pointsman.kernel.IpvsNetlinkInside;
import io.pointsman.testing.uml.InnerTests;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Everything that needs ip_vs in the kernel, or that it lacks nf_tables, in such a kernel; beside
 * the other tests, which this one process in its own kernel does not touch.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(UserModeLinux.FIRST)
@Timeout(value = 1, unit = TimeUnit.HOURS)
class IpvsKernelTest {
  static final List<String> MODULES =
      List.of(
          "ipv6",
          "veth",
          "ip_vs",
          "ip_set",
          "nf_conntrack_netlink",
          "iptable_nat",
          "iptable_filter",
          "iptable_mangle",
          "ip6table_nat",
          "ip6table_mangle");

  /** How long a test may take. Of IpvsRandomInside one took five minutes on a busy machine. */
  private static final Duration EACH = Duration.ofMinutes(10);

  @TestFactory
  List<DynamicTest> inside() {
    return InnerTests.run(
        new UserModeLinux(2048, MODULES, EACH.plusMinutes(2)),
        EACH,
        List.of(),
        IpvsNetlinkInside.class,
        IpvsDataplaneInside.class,
        IpvsSettingsInside.class,
        IpvsForecastInside.class,
        IpvsHostAddressInside.class,
        IpvsRepairInside.class,
        IpvsRandomInside.class,
        IpvsTrafficInside.class,
        IpvsTakeoverInside.class,
        KubeProxyHandoverInside.class,
        IpvsStaleFlowsInside.class,
        BpfAfterIpvsInside.class,
        KubeProxyServersInside.class,
        TranslationHoldInside.class,
        KubeProxyCleanerInside.class);
  }
}
