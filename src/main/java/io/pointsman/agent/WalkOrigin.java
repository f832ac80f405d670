// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.DataplaneSettings;
import java.util.List;
import java.util.Map;
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
  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  /** Nothing is known, or kube-proxy. */
  static final WalkOrigin NONE = new WalkOrigin(null, DataplaneSettings.DEFAULTS, List.of());

  /** What the operator has written down; what a person has garbled counts as absent. */
  static WalkOrigin of(NodeDataplane resource) {
    Map<String, String> annotations = resource.getMetadata().getAnnotations();
    String text = annotations == null ? null : annotations.get(NodeDataplane.ORIGIN);
    WalkOrigin origin = text == null ? NONE : read(text);
    return origin.kind() == resource.getSpec().linuxDataplane ? NONE : origin;
  }

  private static WalkOrigin read(String text) {
    try {
      NodeDataplaneSpec began = MAPPER.readValue(text, NodeDataplaneSpec.class);
      List<String> ranges = List.copyOf(began.nodePort.addresses);
      ranges.forEach(AddressRange::parse);
      return new WalkOrigin(began.linuxDataplane, NodeSettings.of(began), ranges);
    } catch (JsonProcessingException | RuntimeException e) {
      return NONE;
    }
  }

  /** What an earlier agent opened a dataplane with, as far as that is known. */
  DataplaneSettings settings(LinuxDataplane of) {
    return of == kind ? settings : DataplaneSettings.DEFAULTS;
  }
}
