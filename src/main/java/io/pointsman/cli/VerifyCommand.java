// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Proofs that a person asks for; it does nothing without one of its commands. */
@Command(
    name = "verify",
    description = "Compares what nodes' kernels hold with the cluster's Services.",
    mixinStandardHelpOptions = true,
    subcommands = VerifyKubeProxyCommand.class)
final class VerifyCommand implements Runnable {
  @Spec private @org.jspecify.annotations.Nullable CommandSpec spec;

  @Override
  public void run() {
    CommandSpec own = java.util.Objects.requireNonNull(spec);
    throw new CommandLine.ParameterException(
        own.commandLine(),
        "Nothing to verify was named: use one of " + String.join(", ", own.subcommands().keySet()));
  }
}
