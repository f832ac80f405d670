// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyPlaces;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints what kube-proxy has in the kernel of this node; run as root on the node. */
@Command(
    name = "rules",
    description =
        "Prints the frontends and backends that kube-proxy's rules in this node's kernel hold,"
            + " whichever mode it runs in. JSON has all of them, whatever --address says.",
    mixinStandardHelpOptions = true)
final class RulesCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Mixin private FrontendOptions frontends = new FrontendOptions();

  @Override
  public Integer call() throws IOException {
    Optional<Address> wanted = frontends.address(Objects.requireNonNull(spec));
    List<KubeProxyState> states = KubeProxyPlaces.of(new CommandRunner()).read();
    if (frontends.format() == FrontendOptions.Format.json) {
      KubeProxyJson.write(out(), states);
      out().println();
      return 0;
    }
    if (states.isEmpty()) {
      out().println("The kernel holds no rules of a kube-proxy.");
    }
    for (KubeProxyState state : states) {
      out().printf("kube-proxy in mode %s (%s)%n", state.mode().text(), state.place());
      new FrontendList(state, wanted).printTable(out());
      state.defects().forEach(each -> out().println(each));
      state.foreign().forEach(each -> out().println(each));
    }
    return 0;
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }
}
