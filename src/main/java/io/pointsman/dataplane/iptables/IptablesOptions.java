// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.Iptables.View;
import java.util.List;
import java.util.Optional;

/**
 * How the Iptables dataplane works on this machine.
 *
 * @param variant where rules are kept; empty looks where the node's rules are
 * @param localRanges at most one range of each family: what comes from elsewhere is masqueraded on
 *     its way to a cluster IP, as with kube-proxy's --cluster-cidr
 * @param standIn whether the rules have names that no kube-proxy knows (ADR 8), and the kernel's
 *     settings are left alone
 */
public record IptablesOptions(
    CommandRunner commands,
    Optional<Variant> variant,
    List<AddressRange> localRanges,
    boolean standIn) {
  /** Takes a copy. */
  public IptablesOptions {
    localRanges = List.copyOf(localRanges);
  }

  /** Under kube-proxy's own names. */
  public IptablesOptions(
      CommandRunner commands, Optional<Variant> variant, List<AddressRange> localRanges) {
    this(commands, variant, localRanges, false);
  }

  /** What fits a node. */
  public static IptablesOptions defaults() {
    return new IptablesOptions(new CommandRunner(), Optional.empty(), List.of());
  }

  /** The same with rules kept there, wherever the node's are. */
  public IptablesOptions in(Variant where) {
    return new IptablesOptions(commands, Optional.of(where), localRanges, standIn);
  }

  /** The same with ranges of the cluster's pods, or of the node's. */
  public IptablesOptions localTo(List<AddressRange> ranges) {
    return new IptablesOptions(commands, variant, ranges, standIn);
  }

  /** The same under names that no kube-proxy knows. */
  public IptablesOptions standingIn() {
    return new IptablesOptions(commands, variant, localRanges, true);
  }

  /** How the tables' lines are seen. */
  View view() {
    return standIn ? StandInView.INSTANCE : View.PLAIN;
  }

  /** What the tables are read and written with. */
  Iptables tool(Family family, Variant where) {
    return new Iptables(commands, family, where, view());
  }

  /** The range of one family. */
  Optional<AddressRange> localRange(IpFamily family) {
    return localRanges.stream().filter(range -> range.base().family() == family).findFirst();
  }
}
