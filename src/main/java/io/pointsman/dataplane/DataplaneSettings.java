// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.AddressRange;
import java.util.List;

/**
 * What a dataplane is opened with; another setting means to close it and open it anew, which leaves
 * the kernel serving.
 *
 * @param scheduler how a backend is chosen for a new flow
 * @param nodePortLow the first port of the cluster's node port range
 * @param nodePortHigh the last one
 * @param clusterRanges the pods' addresses, at most one range of each family: rules masquerade what
 *     comes from elsewhere on its way to a cluster IP
 * @param ipvs what only IPVS knows
 */
public record DataplaneSettings(
    Scheduler scheduler,
    int nodePortLow,
    int nodePortHigh,
    List<AddressRange> clusterRanges,
    Ipvs ipvs) {
  /** What Kubernetes and kube-proxy use when nobody says otherwise. */
  public static final DataplaneSettings DEFAULTS =
      new DataplaneSettings(Scheduler.RR, 30_000, 32_767);

  /** Takes a copy. */
  public DataplaneSettings {
    clusterRanges = List.copyOf(clusterRanges);
  }

  /** Settings of a cluster whose pods' addresses nobody has told. */
  public DataplaneSettings(Scheduler scheduler, int nodePortLow, int nodePortHigh) {
    this(scheduler, nodePortLow, nodePortHigh, List.of(), Ipvs.DEFAULTS);
  }

  /**
   * Settings of IPVS.
   *
   * @param excludeRanges virtual servers at these addresses are somebody else's
   * @param strictArp whether the node answers ARP only for addresses of the device that is asked
   * @param tcpTimeoutSeconds how long a silent connection is remembered; 0, here and in the others,
   *     leaves the value as it is
   * @param tcpFinTimeoutSeconds the same after a FIN
   * @param udpTimeoutSeconds the same for a UDP flow
   */
  public record Ipvs(
      List<AddressRange> excludeRanges,
      boolean strictArp,
      int tcpTimeoutSeconds,
      int tcpFinTimeoutSeconds,
      int udpTimeoutSeconds) {
    /** Nothing of it. */
    public static final Ipvs DEFAULTS = new Ipvs(List.of(), false, 0, 0, 0);

    /** Takes a copy. */
    public Ipvs {
      excludeRanges = List.copyOf(excludeRanges);
    }
  }

  /** Opens dataplanes; opening adopts what is in the kernel and changes nothing. */
  @FunctionalInterface
  public interface Factory {
    /** A dataplane with these settings. */
    Dataplane open(DataplaneSettings settings);
  }
}
