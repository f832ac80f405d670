// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.IpvsTimeouts;
import io.pointsman.kernel.VirtualServer;
import java.util.List;
import java.util.Optional;

/**
 * How the IPVS dataplane works on this machine; the names are those of kube-proxy's configuration.
 *
 * @param excludeRanges virtual servers at these addresses are never taken for Pointsman's own
 * @param localRanges at most one range of each family: what comes from elsewhere is masqueraded on
 *     its way to a cluster IP
 * @param strictArp whether the node answers ARP only for addresses of the device that is asked
 *     (net.ipv4.conf.all.arp_ignore 1, arp_announce 2)
 * @param timeouts how long silent connections are remembered; 0 leaves a timeout as it is
 */
public record IpvsOptions(
    CommandRunner commands,
    List<AddressRange> excludeRanges,
    List<AddressRange> localRanges,
    boolean strictArp,
    IpvsTimeouts timeouts) {
  /** Takes copies. */
  public IpvsOptions {
    excludeRanges = List.copyOf(excludeRanges);
    localRanges = List.copyOf(localRanges);
  }

  /** What fits a node. */
  public static IpvsOptions defaults() {
    return new IpvsOptions(
        new CommandRunner(), List.of(), List.of(), false, new IpvsTimeouts(0, 0, 0));
  }

  /** The same with commands that run elsewhere; netlink stays with the thread that calls. */
  public IpvsOptions by(CommandRunner runner) {
    return new IpvsOptions(runner, excludeRanges, localRanges, strictArp, timeouts);
  }

  /** The same without virtual servers at these addresses. */
  public IpvsOptions excluding(List<AddressRange> ranges) {
    return new IpvsOptions(commands, ranges, localRanges, strictArp, timeouts);
  }

  /** The same with ranges of the cluster's pods, or of the node's. */
  public IpvsOptions localTo(List<AddressRange> ranges) {
    return new IpvsOptions(commands, excludeRanges, ranges, strictArp, timeouts);
  }

  /** The same with what a resource may ask for. */
  public IpvsOptions as(DataplaneSettings.Ipvs wanted) {
    return excluding(wanted.excludeRanges())
        .withStrictArp(wanted.strictArp())
        .remembering(
            new IpvsTimeouts(
                wanted.tcpTimeoutSeconds(),
                wanted.tcpFinTimeoutSeconds(),
                wanted.udpTimeoutSeconds()));
  }

  /** The same with strict ARP or without. */
  public IpvsOptions withStrictArp(boolean wanted) {
    return new IpvsOptions(commands, excludeRanges, localRanges, wanted, timeouts);
  }

  /** The same with other timeouts. */
  public IpvsOptions remembering(IpvsTimeouts wanted) {
    return new IpvsOptions(commands, excludeRanges, localRanges, strictArp, wanted);
  }

  boolean excludes(Address address) {
    return excludeRanges.stream().anyMatch(range -> range.contains(address));
  }

  /** Whether a virtual server is somebody else's whatever the kernel says. */
  boolean excludes(VirtualServer server) {
    return excludes(Address.of(server.address()));
  }

  /** The range of one family. */
  Optional<AddressRange> localRange(IpFamily family) {
    return localRanges.stream().filter(range -> range.base().family() == family).findFirst();
  }
}
