// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.dataplane.ipvs.IpvsDataplane;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.Iptables.Variant;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Takes what an agent left out of a node's kernel, where no agent will do it any more. */
@Command(
    name = "remove",
    description = {
      "Takes everything of Pointsman out of this node's kernel: BPF programs, maps and pins; the"
          + " rules of Iptables, and those that serve while kube-proxy starts, of iptables-nft and"
          + " iptables-legacy; virtual servers, sets, rules and device of IPVS; and puts back the"
          + " settings of the kernel that they have changed.",
      "For a node that no ProxyDataplane rules any more; elsewhere the agent puts all of it back."
    },
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Option(
      names = "--force",
      description =
          "Also when one of them takes this node's new connections: they need kube-proxy then.")
  private boolean force;

  @Option(
      names = "--exclude-cidr",
      description =
          "IPVS: virtual servers at these addresses are somebody else's, as in"
              + " spec.ipvs.excludeCIDRs; may be given several times.")
  private List<String> excluded = List.of();

  /** A dataplane that may be there, and its name for a person. */
  private record Part(String name, Dataplane dataplane) {}

  @Override
  public Integer call() {
    List<AddressRange> others = excluded.stream().map(this::range).toList();
    if (!Files.exists(bpffs.path()) || !Features.isBpffs(bpffs.path())) {
      throw new DataplaneException(
          "--bpffs: " + bpffs.path() + " is not a bpffs; name where the node's is mounted", null);
    }
    List<Part> parts = parts(others);
    try {
      List<String> found = new ArrayList<>();
      for (Part part : parts) {
        Phase phase = part.dataplane().phase();
        if (phase == Phase.ACTIVE && !force) {
          throw new DataplaneException(
              part.name()
                  + " takes the new connections of this node, nothing was removed; make sure that"
                  + " kube-proxy runs on it, then add --force",
              null);
        }
        if (phase != Phase.ABSENT) {
          found.add(part.name());
        }
      }
      // Also what is absent: pins of a start that was cut off have no phase.
      parts.forEach(part -> part.dataplane().remove());
      needGone(parts);
      tell(found);
    } finally {
      parts.forEach(part -> part.dataplane().close());
    }
    return 0;
  }

  private List<Part> parts(List<AddressRange> others) {
    DataplaneSettings settings = DataplaneSettings.DEFAULTS;
    List<Part> parts = new ArrayList<>();
    parts.add(new Part("BPF", new BpfDataplane(bpffs.dataplane(), settings)));
    for (Variant variant : Variant.values()) {
      IptablesOptions rules = IptablesOptions.defaults().in(variant);
      String where = " (" + variant.text() + ")";
      parts.add(new Part("Iptables" + where, new IptablesDataplane(rules, settings)));
      parts.add(
          new Part("The stand-in" + where, new IptablesDataplane(rules.standingIn(), settings)));
    }
    parts.add(
        new Part("IPVS", new IpvsDataplane(IpvsOptions.defaults().excluding(others), settings)));
    return parts;
  }

  /** What could not be removed may have no phase either, and only looking for it tells. */
  private static void needGone(List<Part> parts) {
    List<String> left =
        parts.stream()
            .flatMap(part -> part.dataplane().leftovers().stream())
            .distinct()
            .sorted()
            .toList();
    if (!left.isEmpty()) {
      throw new DataplaneException(
          "of Pointsman is left in this node's kernel: "
              + String.join(", ", left)
              + "; take out what holds it, then run this again",
          null);
    }
  }

  private AddressRange range(String text) {
    try {
      return AddressRange.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(), "--exclude-cidr: " + e.getMessage(), e);
    }
  }

  private void tell(List<String> found) {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (found.isEmpty()) {
      out.println("Nothing of Pointsman was in use on this node.");
      return;
    }
    found.forEach(name -> out.println("Removed: " + name));
    out.println("Nothing of Pointsman is left in this node's kernel.");
  }
}
