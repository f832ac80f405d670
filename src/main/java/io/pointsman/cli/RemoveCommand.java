// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.kernel.Features;
import java.nio.file.Files;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Takes what an agent left out of a node's kernel, where no agent will do it any more. */
@Command(
    name = "remove",
    description = {
      "Takes Pointsman's BPF programs, maps and pins out of this node's kernel.",
      "For a node that no ProxyDataplane rules any more; elsewhere the agent puts all of it back."
    },
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Option(
      names = "--force",
      description = "Also when BPF takes this node's new connections: they need kube-proxy then.")
  private boolean force;

  @Override
  public Integer call() {
    if (!Files.exists(bpffs.path()) || !Features.isBpffs(bpffs.path())) {
      throw new DataplaneException(
          "--bpffs: " + bpffs.path() + " is not a bpffs; name where the node's is mounted", null);
    }
    try (BpfDataplane dataplane = new BpfDataplane(bpffs.dataplane(), DataplaneSettings.DEFAULTS)) {
      Phase found = dataplane.phase();
      if (found == Phase.ACTIVE && !force) {
        throw new DataplaneException(
            "BPF takes the new connections of this node, nothing was removed; make sure that"
                + " kube-proxy runs on it, then add --force",
            null);
      }
      dataplane.remove();
      Objects.requireNonNull(spec).commandLine().getOut().println(told(found));
    }
    return 0;
  }

  private static String told(Phase found) {
    return found == Phase.ABSENT
        ? "Nothing of Pointsman was in use on this node."
        : "Nothing of Pointsman is left in this node's kernel.";
  }
}
