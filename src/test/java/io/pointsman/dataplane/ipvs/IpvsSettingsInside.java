// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.kernel.IpvsTimeouts;
import org.junit.jupiter.api.Test;

/** What of the kernel's settings is changed, and put back. */
public class IpvsSettingsInside extends IpvsFixture {
  private final DesiredState desired = desired(ports(12, 4));

  @Test
  void setsWhatTheKernelNeedsAndPutsItBack() {
    options = options.withStrictArp(true).remembering(new IpvsTimeouts(1000, 0, 60));
    restart(Scheduler.RR);
    assertThat(setting("vs/conntrack")).isEqualTo("0");
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=0");
    here(() -> dataplane.prepare(desired));
    assertThat(setting("vs/conntrack")).isEqualTo("1");
    assertThat(setting("conf/all/arp_ignore")).isEqualTo("1");
    assertThat(here(dataplane::read).settings())
        .contains(
            new Setting("net.ipv4.vs.conntrack", "1", "0"),
            new Setting("net.ipv4.ip_forward", "1", null),
            new Setting("net.ipv4.conf.all.arp_ignore", "1", "0"),
            new Setting("ip_vs timeouts", "1000,120,60", "900,120,300"));
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("1000 120 60");
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertProven(desired);
    run(dataplane::remove);
    assertThat(setting("vs/conntrack")).isEqualTo("0");
    assertThat(setting("ip_forward")).as("somebody may need it by now").isEqualTo("1");
    assertThat(setting("conf/all/arp_ignore")).isEqualTo("0");
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("900 120 300");
  }

  @Test
  void aTimeoutThatIsNotAskedForIsTheNodes() {
    options = options.remembering(new IpvsTimeouts(1000, 0, 0));
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    shell("ipvsadm", "--set", "0", "0", "600");
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("1000 120 600");
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("900 120 600");
    shell("ipvsadm", "--set", "900", "120", "300");
  }

  /** The settings were as they shall be by then, and nothing said what they had been. */
  @Test
  void putsSettingsBackWhenTheDeviceWasDeletedMeanwhile() {
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    shell("ip", "link", "delete", "kube-ipvs0");
    here(() -> dataplane.repair(desired));
    run(dataplane::activate);
    assertProven(desired);
    run(dataplane::remove);
    assertThat(setting("vs/conntrack")).isEqualTo("0");
  }
}
