// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.Project;
import io.pointsman.testing.RestClient;
import io.pointsman.testing.RestClient.Refused;
import io.pointsman.testing.Yaml;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the real API server says to right and wrong resources. */
@OnSharedApiServer
class ValidationTest {
  private static final int WRONG_RESOURCES_AT_LEAST = 40;

  private static RestClient api;

  @BeforeAll
  static void connect() {
    api = RestClient.of(ApiServer.shared());
  }

  @AfterAll
  static void disconnect() {
    api.close();
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    return rows("refused.yaml")
        .map(row -> DynamicTest.dynamicTest(name(row), () -> assertRefused(row)));
  }

  @Test
  void tableOfWrongResourcesIsLongEnough() {
    assertThat(rows("refused.yaml").count()).isGreaterThanOrEqualTo(WRONG_RESOURCES_AT_LEAST);
  }

  private static void assertRefused(JsonNode row) {
    JsonNode resource = row.has("resource") ? row.get("resource") : proxyDataplane(row.get("spec"));
    var refused = catchThrowableOfType(Refused.class, () -> dryRun(resource));
    assertThat(refused).as("the server accepted %s", resource).isNotNull();
    assertThat(refused.getMessage()).contains(row.get("says").asText());
  }

  @TestFactory
  Stream<DynamicTest> accepts() {
    return rows("accepted.yaml")
        .map(row -> DynamicTest.dynamicTest(name(row), () -> assertAccepted(row)));
  }

  private static void assertAccepted(JsonNode row) {
    JsonNode spec = dryRun(proxyDataplane(row.get("spec"))).get("spec");
    for (var expected : row.get("becomes").properties()) {
      assertThat(spec.get(expected.getKey())).as(expected.getKey()).isEqualTo(expected.getValue());
    }
  }

  @Test
  void dataplaneMayChangeAtAnyTime() {
    // No rule looks at the old value: the only refusals are those of what is not built.
    assertThat(Project.read("crds/proxydataplanes.pointsman.io.yaml")).doesNotContain("oldSelf");
  }

  @Test
  void minimalResourceGetsNothingButDocumentedFields() {
    JsonNode row = rows("accepted.yaml").findFirst().orElseThrow();
    assertThat(dryRun(proxyDataplane(row.get("spec"))).get("spec")).isEqualTo(row.get("becomes"));
  }

  private static JsonNode dryRun(JsonNode resource) {
    String plural =
        resource.get("kind").asText().equals("NodeDataplane")
            ? "nodedataplanes"
            : "proxydataplanes";
    return api.post(
        "/apis/pointsman.io/v1alpha1/" + plural + "?dryRun=All&fieldValidation=Strict", resource);
  }

  private static ObjectNode proxyDataplane(JsonNode spec) {
    ObjectNode resource =
        Yaml.object(
            "{apiVersion: pointsman.io/v1alpha1, kind: ProxyDataplane, metadata: {name: test}}");
    resource.set("spec", spec);
    return resource;
  }

  private static Stream<JsonNode> rows(String file) {
    return Yaml.array(Project.read("src/test/resources/io/pointsman/api/" + file));
  }

  private static String name(JsonNode row) {
    return row.path(row.has("resource") ? "resource" : "spec").toString();
  }
}
