// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.Ipvs;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.DataplaneSettings;
import org.jspecify.annotations.Nullable;

/** What dataplanes are opened with for a node's spec. */
final class NodeSettings {
  private NodeSettings() {}

  /**
   * Those of the dataplane that the spec names.
   *
   * @throws IllegalArgumentException when a range is none
   */
  static DataplaneSettings of(NodeDataplaneSpec spec) {
    String[] range = spec.nodePort.range.split("-", 2);
    return new DataplaneSettings(
        spec.scheduler,
        Integer.parseInt(range[0]),
        Integer.parseInt(range[1]),
        spec.clusterCIDRs.stream().map(AddressRange::parse).toList(),
        of(spec.ipvs));
  }

  private static DataplaneSettings.Ipvs of(Ipvs wanted) {
    return new DataplaneSettings.Ipvs(
        wanted.excludeCIDRs.stream().map(AddressRange::parse).toList(),
        wanted.strictARP,
        wanted.tcpTimeoutSeconds,
        wanted.tcpFinTimeoutSeconds,
        wanted.udpTimeoutSeconds);
  }

  /** Those of the stand-in: it chooses at random, as kube-proxy's rules do. */
  static DataplaneSettings ofStandIn(@Nullable NodeDataplaneSpec spec) {
    DataplaneSettings of = spec == null ? DataplaneSettings.DEFAULTS : of(spec);
    return new DataplaneSettings(
        Scheduler.RANDOM, of.nodePortLow(), of.nodePortHigh(), of.clusterRanges(), of.ipvs());
  }
}
