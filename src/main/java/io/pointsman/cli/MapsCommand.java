// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.bpf.BpfDataplane;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Prints what the BPF maps of this node hold; run in the agent's container. */
@Command(
    name = "maps",
    description =
        "Prints the frontends and backends that this node's BPF maps hold (nat_fe, nat_be).",
    mixinStandardHelpOptions = true)
final class MapsCommand implements Callable<Integer> {
  /** How the maps are printed. */
  enum Format {
    table,
    json
  }

  @Spec private @Nullable CommandSpec spec;
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  @Option(
      names = "--address",
      description = "Only frontends of this address; 0.0.0.0 and :: are the node ports.")
  private Optional<String> address = Optional.empty();

  @Override
  public Integer call() {
    Optional<Address> wanted = wanted();
    KernelState state;
    try {
      state = BpfDataplane.readPinned(bpffs.dataplane());
    } catch (DataplaneException e) {
      err().println(e.getMessage() + ": is this node served by BPF, and this command run as root?");
      return Failures.FAILED;
    }
    FrontendList list = new FrontendList(state, wanted);
    if (format == Format.json) {
      out().println(list.json());
    } else {
      list.printTable(out());
    }
    return 0;
  }

  private Optional<Address> wanted() {
    try {
      return address.map(Address::parse);
    } catch (IllegalArgumentException wrong) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(),
          "--address: " + wrong.getMessage() + "; give an IPv4 or IPv6 address",
          wrong);
    }
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }

  private PrintWriter err() {
    return Objects.requireNonNull(spec).commandLine().getErr();
  }
}
