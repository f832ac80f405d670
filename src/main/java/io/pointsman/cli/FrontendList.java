// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Target;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The frontends and backends of a node's kernel, sorted, for a person or a program. */
final class FrontendList {
  private static final int TCP = 6;
  private static final int UDP = 17;

  private final KernelState state;
  private final List<Entry> entries = new ArrayList<>();

  private record Entry(Address address, int port, int protocol, List<BackendAddress> backends) {}

  /** With the frontends of one address only, if one is named. */
  FrontendList(KernelState state, Optional<Address> wanted) {
    this.state = state;
    state.forEach((at, port, protocol, to) -> entries.add(new Entry(at, port, protocol, to)));
    entries.removeIf(entry -> wanted.isPresent() && !wanted.get().equals(entry.address()));
    entries.sort(
        Comparator.comparing(Entry::address)
            .thenComparing(Entry::port)
            .thenComparing(Entry::protocol));
  }

  void printTable(PrintWriter out) {
    for (Entry entry : entries) {
      String backends =
          entry.backends().isEmpty()
              ? "rejects"
              : entry.backends().stream()
                  .map(FrontendList::endpoint)
                  .collect(Collectors.joining(" "));
      out.printf(
          "%s %s -> %s%n",
          protocol(entry.protocol()), new Target(entry.address(), entry.port()), backends);
    }
    out.printf(
        "%d frontends, %d backends, digest %s%n",
        state.frontendCount(), state.backendCount(), state.digest());
  }

  String json() {
    JsonArray frontends = new JsonArray();
    for (Entry entry : entries) {
      JsonArray backends = new JsonArray();
      entry.backends().forEach(to -> backends.add(endpoint(to)));
      frontends.add(
          new JsonObject()
              .put("protocol", protocol(entry.protocol()))
              .put("frontend", new Target(entry.address(), entry.port()).toString())
              .put("backends", backends));
    }
    return new JsonObject()
        .put("digest", state.digest().toString())
        .put("frontends", frontends)
        .encodePrettily();
  }

  private static String endpoint(BackendAddress backend) {
    return new Target(backend.address(), backend.port()).toString();
  }

  private static String protocol(int number) {
    return switch (number) {
      case TCP -> "TCP";
      case UDP -> "UDP";
      default -> Integer.toString(number);
    };
  }
}
