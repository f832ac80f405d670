// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/imported-images with a containerd that imports nothing. */
class ImportedImagesTest {
  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void fakeContainerd() throws IOException {
    program("containerd", "#!/bin/sh\nexec sleep 60\n");
    program("ctr", "#!/bin/sh\nexit 0\n");
  }

  @Test
  void givesTheSameFolderForTheSameImages() {
    assertThat(imported("one.tar", "two.tar"))
        .isDirectory()
        .isEqualTo(imported("one.tar", "two.tar"))
        .isNotEqualTo(imported("one.tar"));
  }

  @Test
  void keepsWhatAnotherMachineMayBeLivingOn() {
    var before = imported("before.tar");
    imported("after.tar");
    assertThat(before).isDirectory();
  }

  @Test
  void takesAwayWhatNobodyHasAskedForInHours() throws IOException {
    var before = imported("before.tar");
    Files.setLastModifiedTime(before, FileTime.from(Instant.now().minus(Duration.ofHours(5))));
    imported("after.tar");
    assertThat(before).doesNotExist();
  }

  @Test
  void keepsWhatALabLivesOn() throws IOException {
    var before = imported("before.tar");
    LabFolders.write(folder.resolve("labs/mine/imported"), before.toString());
    Files.setLastModifiedTime(before, FileTime.from(Instant.now().minus(Duration.ofHours(5))));
    imported("after.tar");
    assertThat(before).isDirectory();
  }

  private void program(String name, String text) throws IOException {
    var file = folder.resolve(name);
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path imported(String... archives) {
    var script = LabFolders.project().resolve("scripts/imported-images").toString();
    var command =
        Stream.concat(
                Stream.of(
                    "env",
                    "POINTSMAN_CACHE=" + folder.resolve("cache"),
                    "POINTSMAN_LAB_DIR=" + folder.resolve("labs"),
                    script,
                    folder.toString()),
                Stream.of(archives))
            .toList();
    return Path.of(Command.run(command).check().out().strip());
  }
}
