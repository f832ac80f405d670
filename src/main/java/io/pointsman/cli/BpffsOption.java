// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.dataplane.bpf.BpfOptions;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where a command finds this node's pins. */
final class BpffsOption {
  @Option(
      names = "--bpffs",
      defaultValue = "/sys/fs/bpf",
      description = "Where a bpffs is mounted (default: ${DEFAULT-VALUE}).")
  private Path bpffs = Path.of("/sys/fs/bpf");

  /** The mount point. */
  Path path() {
    return bpffs;
  }

  /** The dataplane whose pins are there. */
  BpfOptions dataplane() {
    return BpfOptions.defaults().pinnedUnder(bpffs.resolve("pointsman"));
  }
}
