// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Path;
import java.util.List;

/** The programs that scripts/go-binaries builds from the pinned Go modules. */
final class Binaries {
  private Binaries() {}

  /** The folder that holds them all; builds what is missing, which takes ten minutes once. */
  static Path folder() {
    var script = LabFolders.project().resolve("scripts/go-binaries").toString();
    if (System.console() != null) {
      Command.interactive(List.of("sh", "-c", "exec \"$0\" >&2", script));
    }
    return Path.of(Command.run(List.of(script)).check().out().strip());
  }
}
