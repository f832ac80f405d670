// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.testing.Project;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the image carries of the programs beside their code. */
class ProgramFilesTest {
  @ParameterizedTest
  @ValueSource(strings = {"socket", "packet"})
  void nameSourcesAndNoFolderOfTheMachineThatCompiledThem(String name) throws IOException {
    try (var file = Programs.class.getResourceAsStream("/bpf/" + name + ".bpf.o")) {
      var text =
          new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.ISO_8859_1);
      assertThat(text.contains("bpf/" + name + ".bpf.c")).isTrue();
      assertThat(text.contains(Project.folder().toString())).isFalse();
    }
  }
}
