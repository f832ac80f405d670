// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.kernel.Features;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Whether the running kernel has a module, by what is loaded and what depmod(8) has listed. */
final class Modules {
  private final Path loaded;
  private final Path folder;

  /** What is known of a module. */
  enum State {
    /** Loaded, or part of the kernel. */
    PRESENT,
    /** The kernel loads it when it is needed. */
    LOADABLE,
    MISSING,
    /** It is not loaded, and the lists of modules cannot be read here. */
    UNKNOWN
  }

  Modules() {
    this(Path.of("/sys/module"), Path.of("/lib/modules").resolve(Features.kernelVersion().text()));
  }

  Modules(Path loaded, Path folder) {
    this.loaded = loaded;
    this.folder = folder;
  }

  State state(String module) {
    if (Files.exists(loaded.resolve(module)) || listed("modules.builtin", module)) {
      return State.PRESENT;
    }
    if (listed("modules.dep", module)) {
      return State.LOADABLE;
    }
    return Files.isReadable(folder.resolve("modules.dep")) ? State.MISSING : State.UNKNOWN;
  }

  private boolean listed(String list, String module) {
    Pattern file = Pattern.compile("(.*/)?" + Pattern.quote(module) + "\\.ko(\\.[a-z0-9]+)?(:.*)?");
    try (Stream<String> lines = Files.lines(folder.resolve(list))) {
      return lines.anyMatch(line -> file.matcher(line).matches());
    } catch (IOException e) {
      return false; // a node without modules has no list
    }
  }
}
