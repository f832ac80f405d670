// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DockerArchiveTest {
  private static final int AT_A_TIME = 4;

  @TempDir private Path folder = Path.of("");

  /** As two labs do that come up at a time. */
  @Test
  void severalMayWriteTheSameArchive() {
    var target = folder.resolve("image.tar");
    try (var threads = Executors.newFixedThreadPool(AT_A_TIME)) {
      var all =
          IntStream.range(0, AT_A_TIME)
              .mapToObj(i -> folder.resolve("work-" + i))
              .map(work -> CompletableFuture.runAsync(() -> write(target, work), threads))
              .toList();
      all.forEach(CompletableFuture::join);
    }
    assertThat(Command.run(List.of("tar", "-tf", target.toString())).check().out().lines())
        .containsExactly("manifest.json", "config.json", "layer.tar");
  }

  private static void write(Path target, Path work) {
    LabFolders.write(work.resolve("files/name"), "content");
    var layer = work.resolve("layer.tar");
    DockerArchive.layer(work.resolve("files"), layer);
    DockerArchive.write(target, work, "image:1", List.of("/name"), List.of(layer));
  }
}
