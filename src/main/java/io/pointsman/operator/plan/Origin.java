// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Pointsman's own dataplane on which a walk began, with all of its settings: what a rollback
 * restores. A node without it began on kube-proxy.
 */
final class Origin {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  /** What a spec says about the walk, and not about the dataplane. */
  private static final List<String> OF_THE_WALK =
      List.of("proxyDataplane", "step", "attempt", "kubeProxy");

  private final ObjectNode settings;
  private final LinuxDataplane dataplane;

  private Origin(ObjectNode settings, LinuxDataplane dataplane) {
    this.settings = settings;
    this.dataplane = dataplane;
  }

  /** What a node that has converged has. */
  static Origin of(NodeDataplaneSpec spec) {
    return new Origin(settings(spec), Objects.requireNonNull(spec.linuxDataplane));
  }

  /** Reads the annotation; what a person has garbled counts as absent. */
  static Optional<Origin> parse(@Nullable String text) {
    if (text == null) {
      return Optional.empty();
    }
    try {
      NodeDataplaneSpec spec = MAPPER.readValue(text, NodeDataplaneSpec.class);
      return spec == null || spec.linuxDataplane == null ? Optional.empty() : Optional.of(of(spec));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  LinuxDataplane dataplane() {
    return dataplane;
  }

  /** Whether the spec asks for exactly this. */
  boolean same(NodeDataplaneSpec spec) {
    return settings.equals(settings(spec));
  }

  /** The spec with these settings and its own place in the walk. */
  NodeDataplaneSpec restore(NodeDataplaneSpec spec) {
    ObjectNode restored = settings.deepCopy();
    ObjectNode present = MAPPER.valueToTree(spec);
    OF_THE_WALK.forEach(field -> restored.set(field, present.get(field)));
    return MAPPER.convertValue(restored, NodeDataplaneSpec.class);
  }

  /** As it stands in the annotation. */
  @Override
  public String toString() {
    return settings.toString();
  }

  private static ObjectNode settings(NodeDataplaneSpec spec) {
    ObjectNode tree = MAPPER.valueToTree(spec);
    return tree.remove(OF_THE_WALK);
  }
}
