// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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
  private static final int TCP = 6;
  private static final int UDP = 17;

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

  private record Entry(Address address, int port, int protocol, List<BackendAddress> backends) {}

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
    List<Entry> entries = new ArrayList<>();
    state.forEach((at, port, protocol, to) -> entries.add(new Entry(at, port, protocol, to)));
    entries.removeIf(entry -> wanted.isPresent() && !wanted.get().equals(entry.address()));
    entries.sort(
        Comparator.comparing(Entry::address)
            .thenComparing(Entry::port)
            .thenComparing(Entry::protocol));
    if (format == Format.json) {
      out().println(json(state, entries));
    } else {
      table(state, entries);
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

  private void table(KernelState state, List<Entry> entries) {
    for (Entry entry : entries) {
      String backends =
          entry.backends().isEmpty()
              ? "rejects"
              : entry.backends().stream()
                  .map(to -> endpoint(to.address(), to.port()))
                  .collect(Collectors.joining(" "));
      out()
          .printf(
              "%s %s -> %s%n",
              protocol(entry.protocol()), endpoint(entry.address(), entry.port()), backends);
    }
    out()
        .printf(
            "%d frontends, %d backends, digest %s%n",
            state.frontendCount(), state.backendCount(), state.digest());
  }

  private static String json(KernelState state, List<Entry> entries) {
    JsonArray frontends = new JsonArray();
    for (Entry entry : entries) {
      JsonArray backends = new JsonArray();
      entry.backends().forEach(to -> backends.add(endpoint(to.address(), to.port())));
      frontends.add(
          new JsonObject()
              .put("protocol", protocol(entry.protocol()))
              .put("frontend", endpoint(entry.address(), entry.port()))
              .put("backends", backends));
    }
    return new JsonObject()
        .put("digest", state.digest().toString())
        .put("frontends", frontends)
        .encodePrettily();
  }

  private static String endpoint(Address address, int port) {
    return address.isV4() ? address + ":" + port : "[" + address + "]:" + port;
  }

  private static String protocol(int number) {
    return switch (number) {
      case TCP -> "TCP";
      case UDP -> "UDP";
      default -> Integer.toString(number);
    };
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }

  private PrintWriter err() {
    return Objects.requireNonNull(spec).commandLine().getErr();
  }
}
