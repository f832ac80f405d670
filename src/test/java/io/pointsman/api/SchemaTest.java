// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What every field of the schemas must have. */
class SchemaTest {
  @TestFactory
  Stream<DynamicTest> everyFieldIsDescribed() {
    return fields(SchemaTest::assertDescribed);
  }

  private static void assertDescribed(String name, JsonNode field) {
    String description = field.path("description").asText();
    assertThat(description).as(name).hasSizeGreaterThan(15).endsWith(".");
    if (name.endsWith("Seconds")) {
      assertThat(description).as("the unit of " + name).contains("Seconds");
    }
    if (field.path("default").isValueNode() && field.has("default")) {
      assertThat(description).endsWith(" Default: " + field.get("default").asText() + ".");
    }
  }

  @TestFactory
  Stream<DynamicTest> everyFieldIsLimited() {
    return fields(SchemaTest::assertLimited);
  }

  private static void assertLimited(String name, JsonNode field) {
    switch (field.get("type").asText()) {
      case "string" -> assertThat(field.has("maxLength") || field.has("enum")).as(name).isTrue();
      case "integer" -> assertThat(field.has("minimum")).as(name).isTrue();
      case "array" -> {
        assertThat(field.has("maxItems")).as(name).isTrue();
        if (field.at("/items/type").asText().equals("string")) {
          assertThat(field.get("items").has("maxLength")).as(name + "[]").isTrue();
        }
      }
      case "object" -> {
        if (field.has("additionalProperties")) {
          assertThat(field.has("maxProperties")).as(name).isTrue();
          assertThat(field.get("additionalProperties").has("maxLength")).as(name).isTrue();
        }
      }
      default -> assertThat(field.get("type").asText()).as(name).isEqualTo("boolean");
    }
  }

  @TestFactory
  Stream<DynamicTest> everySettingHasADefaultOrIsRequired() {
    return Schemas.fields("proxydataplanes").entrySet().stream()
        .filter(it -> it.getKey().startsWith("spec."))
        .filter(it -> !it.getKey().equals("spec.linuxDataplane"))
        .filter(it -> !List.of("array").contains(it.getValue().get("type").asText()))
        .filter(it -> !it.getValue().has("additionalProperties"))
        .map(
            it ->
                DynamicTest.dynamicTest(
                    it.getKey(), () -> assertThat(it.getValue().has("default")).isTrue()));
  }

  @Test
  void conditionsMergeByTypeAndHaveTheFieldsOfKubernetes() {
    JsonNode conditions = Schemas.field("proxydataplanes", "status.conditions");
    assertThat(conditions.get("x-kubernetes-list-type").asText()).isEqualTo("map");
    assertThat(conditions.at("/x-kubernetes-list-map-keys/0").asText()).isEqualTo("type");
    assertThat(conditions.at("/items/required"))
        .extracting(JsonNode::asText)
        .containsExactlyInAnyOrder("type", "status", "reason", "message", "lastTransitionTime");
    assertThat(CrdFinish.values(conditions.at("/items/properties/status")))
        .containsExactly("True", "False", "Unknown");
  }

  private interface Check {
    void field(String name, JsonNode schema);
  }

  private static Stream<DynamicTest> fields(Check check) {
    return Schemas.PLURALS.stream()
        .flatMap(
            plural ->
                Schemas.fields(plural).entrySet().stream()
                    .map(
                        field ->
                            DynamicTest.dynamicTest(
                                plural + "." + field.getKey(),
                                () -> check.field(field.getKey(), field.getValue()))));
  }
}
