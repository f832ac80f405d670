// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentOptionsTest {
  @ParameterizedTest
  @CsvSource({
    "'',     /sys/fs/bpf, /c, /s, NODE_NAME",
    "Node_1, /sys/fs/bpf, /c, /s, NODE_NAME",
    "node-1, sys/fs/bpf,  /c, /s, bpffs",
    "node-1, /sys/fs/bpf, c,  /s, cgroup",
    "node-1, /sys/fs/bpf, /c, s,  API servers"
  })
  void whatIsWrongIsNamed(String node, Path bpffs, Path cgroup, Path servers, String named) {
    assertThatThrownBy(() -> new AgentOptions(node, bpffs, Optional.of(cgroup), servers, "1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(named);
  }
}
