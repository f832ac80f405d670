// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/** What the descriptions in the CRDs say beyond the annotations of the fields. */
final class Descriptions {
  static final Map<Class<?>, String> ROOT =
      Map.of(
          ProxyDataplane.class,
          "ProxyDataplane says which Service dataplane the selected Linux nodes use, and how they are taken there, node by node and proven.",
          NodeDataplane.class,
          "NodeDataplane is one node's part of a ProxyDataplane, named after the node. Pointsman writes it; people read it.");

  static final Map<Class<?>, String> SPEC =
      Map.of(
          ProxyDataplane.class,
          "What the nodes shall use. Users write it.",
          NodeDataplane.class,
          "What the operator asks of the node's agent.");

  static final Map<Class<?>, String> STATUS =
      Map.of(
          ProxyDataplane.class,
          "Where the cluster stands. The operator writes it.",
          NodeDataplane.class,
          "What the node's agent has done and seen. The agent writes it.");

  private Descriptions() {}

  /** The description with the limits and the default that the schema states, so they agree. */
  static String complete(JsonNode schema) {
    String text = schema.get("description").asText();
    if (schema.has("minimum") && schema.has("maximum")) {
      text +=
          " From %d to %d."
              .formatted(schema.get("minimum").asLong(), schema.get("maximum").asLong());
    }
    if (schema.has("maxItems")) {
      text += " At most %d.".formatted(schema.get("maxItems").asLong());
    }
    if (schema.has("maxProperties")) {
      text += " At most %d.".formatted(schema.get("maxProperties").asLong());
    }
    if (schema.path("default").isValueNode() && schema.has("default")) {
      text += " Default: %s.".formatted(schema.get("default").asText());
    }
    return text;
  }
}
