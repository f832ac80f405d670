// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import java.util.List;
import java.util.Optional;

/**
 * How the Iptables dataplane works on this machine.
 *
 * @param variant where rules are kept; empty looks where the node's rules are
 * @param localRanges at most one range of each family: what comes from elsewhere is masqueraded on
 *     its way to a cluster IP, as with kube-proxy's --cluster-cidr
 */
public record IptablesOptions(
    CommandRunner commands, Optional<Variant> variant, List<AddressRange> localRanges) {
  /** Takes a copy. */
  public IptablesOptions {
    localRanges = List.copyOf(localRanges);
  }

  /** What fits a node. */
  public static IptablesOptions defaults() {
    return new IptablesOptions(new CommandRunner(), Optional.empty(), List.of());
  }

  /** The same with rules kept there, wherever the node's are. */
  public IptablesOptions in(Variant where) {
    return new IptablesOptions(commands, Optional.of(where), localRanges);
  }

  /** The same with ranges of the cluster's pods, or of the node's. */
  public IptablesOptions localTo(List<AddressRange> ranges) {
    return new IptablesOptions(commands, variant, ranges);
  }

  /** The range of one family. */
  Optional<AddressRange> localRange(IpFamily family) {
    return localRanges.stream().filter(range -> range.base().family() == family).findFirst();
  }
}
