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
import picocli.CommandLine.Spec;

/** Prints what the BPF maps of this node hold; run in the agent's container. */
@Command(
    name = "maps",
    description =
        "Prints the frontends and backends that this node's BPF maps hold (nat_fe, nat_be).",
    mixinStandardHelpOptions = true)
final class MapsCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Mixin private FrontendOptions frontends = new FrontendOptions();

  @Override
  public Integer call() {
    Optional<Address> wanted = frontends.address(Objects.requireNonNull(spec));
    KernelState state;
    try {
      state = BpfDataplane.readPinned(bpffs.dataplane());
    } catch (DataplaneException e) {
      err().println(e.getMessage() + ": is this node served by BPF, and this command run as root?");
      return Failures.FAILED;
    }
    FrontendList list = new FrontendList(state, wanted);
    if (frontends.format() == FrontendOptions.Format.json) {
      out().println(list.json());
    } else {
      list.printTable(out());
    }
    return 0;
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }

  private PrintWriter err() {
    return Objects.requireNonNull(spec).commandLine().getErr();
  }
}
