// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.Iptables;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whether the kernel has the matches and targets that rules of one family need.
 *
 * @param examples rules with each of them
 */
public record ExtensionCheck(Iptables tool, List<String> examples) {
  /** What is in the way, if anything is. */
  public Optional<Finding> find() {
    Set<String> missing = tool.unsupported(examples);
    if (missing.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Severity.BLOCKING,
            "ExtensionMissing",
            "The kernel of this node lacks %s, which rules need that %s writes."
                .formatted(String.join(", ", missing), tool.name()),
            remedy(tool, missing)));
  }

  /** What to do about it. The modules have the names by which the kernel itself asks for them. */
  static String remedy(Iptables tool, Collection<String> missing) {
    String prefix = tool.family() == Iptables.Family.IPV4 ? " ipt_" : " ip6t_";
    return "Install the kernel's modules of netfilter and load them: modprobe -a"
        + missing.stream().map(prefix::concat).collect(Collectors.joining())
        + "; or choose another dataplane.";
  }
}
