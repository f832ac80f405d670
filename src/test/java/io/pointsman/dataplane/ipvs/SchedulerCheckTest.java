// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels whose modules are what a folder says. */
class SchedulerCheckTest {
  @TempDir Path folder;

  @Test
  void aMissingModuleIsNamedWithTheSchedulersThereAre() throws IOException {
    Files.createDirectories(folder.resolve("loaded/ip_vs_rr"));
    Files.writeString(
        folder.resolve("modules.dep"), "kernel/net/netfilter/ipvs/ip_vs_wlc.ko.xz: ip_vs.ko.xz\n");
    Files.writeString(folder.resolve("modules.builtin"), "kernel/net/netfilter/ipvs/ip_vs_mh.ko\n");

    assertThat(check("rr").find()).isEmpty();
    assertThat(check("wlc").find()).isEmpty();
    assertThat(check("mh").find()).isEmpty();
    assertThat(check("sed").find())
        .contains(
            new Finding(
                Severity.BLOCKING,
                "SchedulerMissing",
                "The kernel of this node has no module ip_vs_sed for the scheduler sed.",
                "Install the module and load it: modprobe ip_vs_sed; or choose one of the"
                    + " schedulers it has: rr, wlc, mh."));
  }

  @Test
  void withoutListsAModuleMayBeThere() {
    assertThat(check("sed").find())
        .hasValueSatisfying(
            finding -> {
              assertThat(finding.severity()).isEqualTo(Severity.WARNING);
              assertThat(finding.reason()).isEqualTo("SchedulerUnknown");
              assertThat(finding.remedy()).endsWith("modprobe ip_vs_sed");
            });
  }

  private SchedulerCheck check(String scheduler) {
    return new SchedulerCheck(new Modules(folder.resolve("loaded"), folder), scheduler);
  }
}
