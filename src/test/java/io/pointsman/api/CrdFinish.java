// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Finishes a CRD as the generator's plugin leaves it: what its annotations cannot say, and what it
 * says in a way of its own.
 */
final class CrdFinish {
  private CrdFinish() {}

  /** Finishes {@code crd} in place. */
  static void finish(ObjectNode crd, Class<?> type) {
    for (JsonNode version : crd.at("/spec/versions")) {
      orderColumns((ObjectNode) version, type);
      var schema = (ObjectNode) version.at("/schema/openAPIV3Schema");
      describeRoot(schema, type);
      finishSchema(schema);
    }
  }

  /** The plugin sorts columns by path; people read them in the order of the annotations. */
  private static void orderColumns(ObjectNode version, Class<?> type) {
    List<String> names =
        Arrays.stream(type.getAnnotationsByType(AdditionalPrinterColumn.class))
            .map(AdditionalPrinterColumn::name)
            .toList();
    List<JsonNode> columns = new ArrayList<>();
    version.get("additionalPrinterColumns").forEach(columns::add);
    columns.sort((one, other) -> names.indexOf(name(one)) - names.indexOf(name(other)));
    version.putArray("additionalPrinterColumns").addAll(columns);
  }

  private static String name(JsonNode column) {
    return column.get("name").asText();
  }

  private static void describeRoot(ObjectNode schema, Class<?> type) {
    schema.put("description", Descriptions.ROOT.get(type));
    ((ObjectNode) schema.at("/properties/spec")).put("description", Descriptions.SPEC.get(type));
    ((ObjectNode) schema.at("/properties/status"))
        .put("description", Descriptions.STATUS.get(type));
    schema.putArray("required").add("spec");
  }

  private static void finishSchema(ObjectNode schema) {
    plainNumber(schema, "minimum");
    plainNumber(schema, "maximum");
    if (schema.path("default").isObject()) {
      // The fields have their defaults themselves; {} lets the server fill them in.
      schema.putObject("default");
    }
    schema.path("properties").properties().forEach(it -> finishProperty(it));
    if (schema.path("items").isObject()) {
      finishSchema((ObjectNode) schema.get("items"));
    }
  }

  private static void finishProperty(Map.Entry<String, JsonNode> property) {
    var schema = (ObjectNode) property.getValue();
    finishSchema(schema);
    switch (property.getKey()) {
      case "conditions" -> finishConditions(schema);
      case "verifiedAt" -> schema.put("format", "date-time");
      default -> {}
    }
    if (!schema.path("description").isMissingNode()) {
      schema.put("description", Descriptions.complete(schema));
    }
  }

  /** As meta/v1 Condition: without the list type a server-side apply would replace the list. */
  private static void finishConditions(ObjectNode schema) {
    schema.put("x-kubernetes-list-type", "map");
    schema.putArray("x-kubernetes-list-map-keys").add("type");
    var status = (ObjectNode) schema.at("/items/properties/status");
    status.putArray("enum").add("True").add("False").add("Unknown");
    ((ObjectNode) schema.at("/items/properties/lastTransitionTime")).put("format", "date-time");
  }

  private static void plainNumber(ObjectNode schema, String field) {
    if (schema.has(field)) {
      schema.put(field, schema.get(field).asLong());
    }
  }

  /** The names of the values that an enumeration allows; empty when it is none. */
  static List<String> values(JsonNode schema) {
    List<String> values = new ArrayList<>();
    if (schema.path("enum") instanceof ArrayNode array) {
      array.forEach(it -> values.add(it.asText()));
    }
    return values;
  }
}
