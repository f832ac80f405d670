// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.Address;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which frontends of this node's kernel a command prints, and in which form. */
final class FrontendOptions {
  /** The forms, as they are written on the command line. */
  enum Format {
    table,
    json
  }

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  @Option(
      names = "--address",
      description = "Only frontends of this address; 0.0.0.0 and :: are the node ports.")
  private Optional<String> address = Optional.empty();

  Format format() {
    return format;
  }

  /**
   * The address, where one was named.
   *
   * @throws ParameterException when it is none
   */
  Optional<Address> address(CommandSpec command) {
    try {
      return address.map(Address::parse);
    } catch (IllegalArgumentException wrong) {
      throw new ParameterException(
          command.commandLine(),
          "--address: " + wrong.getMessage() + "; give an IPv4 or IPv6 address",
          wrong);
    }
  }
}
