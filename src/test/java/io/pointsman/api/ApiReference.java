// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;

/** The reference of the resources as Markdown, from the CRDs. */
final class ApiReference {
  private static final String HEAD =
      """
      # API reference

      <!-- Written by scripts/generate from the CRDs; change the Java types and run it. -->

      The resources are cluster-scoped, of group `pointsman.io`. `kubectl explain pdp.spec` and
      `kubectl explain ndp.status` say the same at the command line.
      """;

  private final StringBuilder text = new StringBuilder(HEAD);

  private ApiReference() {}

  /** The reference of these CRDs, in their order. */
  static String of(List<? extends JsonNode> crds) {
    var reference = new ApiReference();
    crds.forEach(reference::add);
    return reference.text.toString();
  }

  private void add(JsonNode crd) {
    JsonNode names = crd.at("/spec/names");
    JsonNode version = crd.at("/spec/versions/0");
    JsonNode schema = version.at("/schema/openAPIV3Schema");
    line("");
    line("## " + names.get("kind").asText());
    line("");
    line(
        "`%s/%s`, short name `%s`. %s"
            .formatted(
                crd.at("/spec/group").asText(),
                version.get("name").asText(),
                names.at("/shortNames/0").asText(),
                schema.get("description").asText()));
    for (String part : List.of("spec", "status")) {
      line("");
      line("### %s of %s".formatted(part, names.get("kind").asText()));
      line("");
      line(schema.at("/properties/" + part + "/description").asText());
      rules(schema.at("/properties/" + part));
      line("");
      line("| field | type | default | description |");
      line("|---|---|---|---|");
      fields(part, schema.at("/properties/" + part));
    }
  }

  private void rules(JsonNode schema) {
    for (JsonNode rule : schema.path("x-kubernetes-validations")) {
      line("");
      line("Rule: `%s`".formatted(rule.get("rule").asText()));
    }
  }

  private void fields(String path, JsonNode schema) {
    for (var property : schema.path("properties").properties()) {
      JsonNode field = property.getValue();
      String name = path + "." + property.getKey();
      boolean required = contains(schema.path("required"), property.getKey());
      line(
          "| `%s`%s | %s | %s | %s |"
              .formatted(
                  name,
                  required ? " (required)" : "",
                  type(field),
                  standard(field),
                  cell(field.get("description").asText())));
      fields(name, field);
      fields(name + "[]", field.path("items"));
    }
  }

  private static boolean contains(JsonNode array, String name) {
    for (JsonNode item : array) {
      if (item.asText().equals(name)) {
        return true;
      }
    }
    return false;
  }

  private static String type(JsonNode field) {
    List<String> values = CrdFinish.values(field);
    if (!values.isEmpty()) {
      return "`" + String.join("` `", values) + "`";
    }
    return switch (field.get("type").asText()) {
      case "array" -> "list of " + field.at("/items/type").asText();
      case "object" -> field.has("additionalProperties") ? "map of string" : "object";
      default -> field.path("format").asText(field.get("type").asText()).toLowerCase(Locale.ROOT);
    };
  }

  private static String standard(JsonNode field) {
    return field.path("default").isValueNode() && field.has("default")
        ? "`" + field.get("default").asText() + "`"
        : "";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
