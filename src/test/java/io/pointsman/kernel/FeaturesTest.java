// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FeaturesTest {
  @Test
  void asksTheKernel() {
    assertThat(Libbpf.version()).startsWith("v1.");
    assertThat(Features.kernelVersion().text()).isEqualTo(Commands.run("uname", "-r").strip());
    assertThat(Features.programType(Features.PROGRAM_TYPE_TC)).isTrue();
    assertThat(Features.programType(Features.PROGRAM_TYPE_SOCK_ADDR)).isTrue();
    assertThat(Features.programType(9999)).isFalse();
    assertThat(Features.mapType(Features.MAP_TYPE_LRU_HASH)).isTrue();
    assertThat(Features.mapType(9999)).isFalse();
    int mapLookup = 1;
    int notAHelper = 9999;
    assertThat(Features.helper(Features.PROGRAM_TYPE_TC, mapLookup)).isTrue();
    assertThat(Features.helper(Features.PROGRAM_TYPE_TC, notAHelper)).isFalse();
  }

  @Test
  void comparesVersions() {
    Features.KernelVersion version = new Features.KernelVersion(5, 10, "5.10.0");
    assertThat(version.atLeast(5, 10)).isTrue();
    assertThat(version.atLeast(4, 19)).isTrue();
    assertThat(version.atLeast(5, 11)).isFalse();
    assertThat(version.atLeast(6, 0)).isFalse();
  }

  @Test
  void knowsFileSystems() {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      assertThat(Features.isBpffs(sandbox.bpffs())).isTrue();
      assertThat(Features.isBpffs(Path.of("/tmp"))).isFalse();
      assertThat(Features.isBpffs(Path.of("/nowhere"))).isFalse();
      assertThat(Cgroups.isCgroup2(sandbox.cgroup())).isTrue();
      assertThat(Cgroups.isCgroup2(Path.of("/tmp"))).isFalse();
      assertThat(sandbox.inNamespace(Features::networkNamespaceCookie))
          .isNotEqualTo(Features.networkNamespaceCookie());
    }
  }
}
