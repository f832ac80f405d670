// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.OriginAnnotation;
import io.pointsman.dataplane.DataplaneSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The other dataplane of Pointsman's that a walk began on: until the wanted one serves it does so,
 * with its own settings.
 *
 * @param kind null when the walk began on kube-proxy, or on the wanted dataplane itself
 * @param nodePortAddresses ranges of addresses that answer on node ports; empty means all
 */
record WalkOrigin(
    @Nullable LinuxDataplane kind, DataplaneSettings settings, List<String> nodePortAddresses) {
  /** Nothing is known, or kube-proxy. */
  static final WalkOrigin NONE = new WalkOrigin(null, DataplaneSettings.DEFAULTS, List.of());

  /** What the operator has written down; what a person has garbled counts as absent. */
  static WalkOrigin of(NodeDataplane resource) {
    return OriginAnnotation.of(resource)
        .filter(began -> began.linuxDataplane != resource.getSpec().linuxDataplane)
        .map(WalkOrigin::read)
        .orElse(NONE);
  }

  private static WalkOrigin read(NodeDataplaneSpec began) {
    try {
      List<String> ranges = List.copyOf(began.nodePort.addresses);
      return new WalkOrigin(began.linuxDataplane, NodeSettings.of(began), ranges);
    } catch (IllegalArgumentException e) {
      return NONE;
    }
  }

  /** What an earlier agent opened a dataplane with, as far as that is known. */
  DataplaneSettings settings(LinuxDataplane of) {
    return of == kind ? settings : DataplaneSettings.DEFAULTS;
  }
}
