// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import picocli.CommandLine.Option;

/** In which form a command prints its {@link Report}. */
final class OutputOption {
  /** The forms, as they are written on the command line. */
  enum Format {
    table,
    json,
    yaml
  }

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  Format format() {
    return format;
  }
}
