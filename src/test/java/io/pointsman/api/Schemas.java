// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.Project;
import io.pointsman.testing.Yaml;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The schemas in crds/, field by field. */
final class Schemas {
  /** The plural names of the resources. */
  static final List<String> PLURALS = List.of("proxydataplanes", "nodedataplanes");

  private Schemas() {}

  /** The CRD of a resource, as it is committed. */
  static JsonNode crd(String plural) {
    return Yaml.object(Project.read("crds/" + plural + ".pointsman.io.yaml"));
  }

  /** All fields of a resource by their paths as kubectl explain takes them, nested ones too. */
  static Map<String, JsonNode> fields(String plural) {
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    collect(crd(plural).at("/spec/versions/0/schema/openAPIV3Schema"), "", fields);
    return fields;
  }

  /** One field of a resource. */
  static JsonNode field(String plural, String path) {
    return Objects.requireNonNull(fields(plural).get(path), () -> plural + " has no " + path);
  }

  private static void collect(JsonNode schema, String path, Map<String, JsonNode> fields) {
    for (var property : schema.path("properties").properties()) {
      String name = path + property.getKey();
      fields.put(name, property.getValue());
      collect(property.getValue(), name + ".", fields);
      collect(property.getValue().path("items"), name + ".", fields);
    }
  }
}
