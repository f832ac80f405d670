// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.kernel.Commands;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands in the way is named. */
@ParameterizedClass(name = "tcx {0}")
@ValueSource(booleans = {true, false})
class BpfPreflightTest extends BpfDataplaneFixture {
  BpfPreflightTest(boolean tcx) {
    super(tcx);
  }

  @Test
  void looksBeforeItLeaps() {
    assertThat(reasons()).doesNotContainKeys("BpffsMissing", "CgroupV2Missing", "OtherLayout");
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
    here(() -> dataplane.prepare(desired(List.of())));
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
    assertThat(reasons()).doesNotContainKey("ForeignDevicePrograms");
    dataplane.close();
    // The same programs, but not this agent's.
    BpfDataplane other =
        new BpfDataplane(
            options.pinnedUnder(sandbox.bpffs().resolve("elsewhere")), DataplaneSettings.DEFAULTS);
    assertThat(here(() -> other.preflight()).passed()).isFalse();
    Map<String, String> found = reasons(other);
    assertThat(found.get("ForeignSocketProgram"))
        .contains("getpeername6 (program ", sandbox.cgroup().toString());
    if (tcx) {
      assertThat(found.get("ForeignDevicePrograms")).contains("on uplink");
    }
    Commands.run("mkdir", "-p", root.resolve("v0").toString());
    assertThat(reasons().get("OtherLayout")).contains("v0", "v1");
    assertThat(reasons()).doesNotContainKey("ForeignPins");
    Commands.run("mkdir", "-p", root.resolveSibling("tc/globals/cali_jump").toString());
    assertThat(reasons().get("ForeignPins")).contains("tc/globals/cali_jump");
    BpfOptions wrong = options.pinnedUnder(Path.of("/tmp/x")).on(Path.of("/tmp"));
    assertThat(reasons(new BpfDataplane(wrong, DataplaneSettings.DEFAULTS)))
        .containsKeys("BpffsMissing", "CgroupV2Missing");
    DataplaneSettings everyPort = new DataplaneSettings(Scheduler.RR, 1, 65_535);
    assertThat(reasons(new BpfDataplane(options, everyPort))).containsKey("NoMasqueradePorts");
    DataplaneSettings mostPorts = new DataplaneSettings(Scheduler.RR, 1, 65_000);
    assertThat(reasons(new BpfDataplane(options, mostPorts)).get("FewMasqueradePorts"))
        .contains("the ports 65001 to 65535");
  }

  @Test
  void looksAtTheFirewall() {
    assertThat(reasons()).doesNotContainKeys("ForwardingDropped", "FewMasqueradePorts");
    Commands.run(
        "ip", "netns", "exec", sandbox.namespace(), "iptables-nft", "-P", "FORWARD", "DROP");
    assertThat(reasons().get("ForwardingDropped")).contains("FORWARD of iptables-nft is DROP");
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
  }

  private Map<String, String> reasons() {
    return reasons(dataplane);
  }

  private Map<String, String> reasons(BpfDataplane of) {
    Map<String, String> reasons = new java.util.HashMap<>();
    here(of::preflight)
        .findings()
        .forEach(finding -> reasons.put(finding.reason(), finding.message()));
    return reasons;
  }
}
