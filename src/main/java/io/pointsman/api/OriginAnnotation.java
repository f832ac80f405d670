// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The annotation of a NodeDataplane that holds the spec of Pointsman's own dataplane on which its
 * walk began, as JSON (ADR 5): the operator writes it, and the agent keeps to it what still serves.
 */
public final class OriginAnnotation {
  /** The annotation's name. */
  public static final String NAME = "pointsman.io/origin";

  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  private OriginAnnotation() {}

  /** What the walk of this node began on; empty for kube-proxy. */
  public static Optional<NodeDataplaneSpec> of(NodeDataplane node) {
    Map<String, String> annotations = node.getMetadata().getAnnotations();
    return annotations == null ? Optional.empty() : parse(annotations.get(NAME));
  }

  /** Reads the annotation; what a person has garbled counts as absent. */
  public static Optional<NodeDataplaneSpec> parse(@Nullable String text) {
    if (text == null) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(MAPPER.readValue(text, NodeDataplaneSpec.class))
          .filter(spec -> spec.linuxDataplane != null);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
