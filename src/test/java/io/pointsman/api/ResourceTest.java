// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.Programs;
import io.pointsman.testing.RestClient;
import io.pointsman.testing.Yaml;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** How the resources behave on the real API server, and what people see of them. */
@OnSharedApiServer
class ResourceTest {
  private static final String PDP = "/apis/pointsman.io/v1alpha1/proxydataplanes";
  private static final String NDP = "/apis/pointsman.io/v1alpha1/nodedataplanes";
  private static final String TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

  private RestClient api;

  @BeforeEach
  void create() {
    api = RestClient.of(ApiServer.shared());
    api.post(PDP, pdp("spec: {linuxDataplane: BPF}"));
    api.post(
        NDP,
        resource(
            "NodeDataplane",
            "spec: {proxyDataplane: resource-test, linuxDataplane: BPF, step: Clean}"));
  }

  @AfterEach
  void delete() {
    api.delete(PDP + "/resource-test");
    api.delete(NDP + "/resource-test");
    api.close();
  }

  @Test
  void proxyDataplaneShowsWhatMattersInATable() {
    applyStatus(
        PDP,
        "operator",
        pdp(
            """
            status:
              convergedNodes: 2/3
              message: node-c is switching
              conditions:
              - {type: Converged, status: "False", reason: Switching, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}
              - {type: Ready, status: "True", reason: AllProven, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}
            """));

    JsonNode table = api.with("Accept", TABLE).get(PDP + "/resource-test");

    assertThat(columns(table, 0))
        .containsExactly(
            "Name", "Dataplane", "Scheduler", "DSR", "Ready", "Converged", "Age", "Message");
    assertThat(cells(table))
        .startsWith("resource-test", "BPF", "rr", "Disabled", "True", "2/3")
        .endsWith("node-c is switching");
  }

  @Test
  void nodeDataplaneShowsWhatMattersInATable() {
    applyStatus(
        NDP,
        "agent",
        resource(
            "NodeDataplane",
            "status: {step: Clean, result: Done, proven: true, drainingFlows: 7, message: fine}"));

    JsonNode table = api.with("Accept", TABLE).get(NDP + "/resource-test");

    assertThat(columns(table, 0))
        .containsExactly("Name", "Dataplane", "Step", "Result", "Proven", "Flows", "Age");
    assertThat(columns(table, 1)).containsExactly("KubeProxy", "Message");
    assertThat(cells(table)).startsWith("resource-test", "BPF", "Clean", "Done", "true", "7");
  }

  @Test
  void conditionsOfTwoManagersMergeByType() {
    applyStatus(PDP, "one", pdp(condition("Ready")));
    applyStatus(PDP, "two", pdp(condition("Degraded")));

    JsonNode conditions = api.get(PDP + "/resource-test").at("/status/conditions");

    assertThat(conditions)
        .extracting(it -> it.get("type").asText())
        .containsExactlyInAnyOrder("Ready", "Degraded");
  }

  @Test
  void conditionWithoutAReasonOrTimeIsRefused() {
    String noReason =
        "status: {conditions: [{type: Ready, status: Unknown, reason: '', message: '', lastTransitionTime: ''}]}";
    assertThatThrownBy(() -> applyStatus(PDP, "one", pdp(noReason)))
        .hasMessageContaining("status.conditions[0].reason")
        .hasMessageContaining("status.conditions[0].lastTransitionTime");
  }

  @Test
  void statusIsASubresource() {
    JsonNode before = api.get(PDP + "/resource-test");
    JsonNode after =
        api.merge(PDP + "/resource-test", Yaml.object("status: {message: not through here}"));
    assertThat(after.has("status")).isFalse();
    assertThat(after.at("/metadata/generation")).isEqualTo(before.at("/metadata/generation"));
  }

  @Test
  void nodesAreFoundByTheResourceThatRulesThem() {
    String selector = NDP + "?fieldSelector=spec.proxyDataplane%3D";
    assertThat(api.get(selector + "resource-test").get("items")).hasSize(1);
    assertThat(api.get(selector + "another").get("items")).isEmpty();
  }

  @Test
  void shortNamesAndCategoryAreServed() {
    JsonNode resources = api.get("/apis/pointsman.io/v1alpha1").get("resources");
    for (JsonNode resource : resources) {
      if (!resource.get("name").asText().contains("/")) {
        assertThat(resource.at("/categories/0").asText()).isEqualTo("pointsman");
        assertThat(resource.at("/shortNames/0").asText()).isIn("pdp", "ndp");
      }
    }
    assertThat(kubectl("get", "pointsman", "-o", "name"))
        .contains("proxydataplane.pointsman.io/resource-test")
        .contains("nodedataplane.pointsman.io/resource-test");
  }

  @TestFactory
  Stream<DynamicTest> kubectlExplainsEveryField() {
    return Schemas.PLURALS.stream()
        .flatMap(
            plural -> {
              String explained = kubectl("explain", plural, "--recursive");
              return Schemas.fields(plural).entrySet().stream()
                  .map(
                      field ->
                          DynamicTest.dynamicTest(
                              plural + "." + field.getKey(),
                              () -> assertExplained(plural, field.getKey(), explained)));
            });
  }

  private void assertExplained(String plural, String path, String recursive) {
    String name = path.substring(path.lastIndexOf('.') + 1);
    assertThat(recursive).containsPattern("(?m)^ +" + Pattern.quote(name) + "\t<");
    String expected = Schemas.field(plural, path).get("description").asText();
    assertThat(published(plural, path)).isEqualTo(expected);
  }

  @Test
  void kubectlExplainPrintsTheDescription() {
    assertThat(words(kubectl("explain", "pdp.spec.rollout.drainSeconds")))
        .contains(words("Seconds that established flows get to end in the old dataplane"));
    assertThat(words(kubectl("explain", "pdp.status.conditions.reason")))
        .contains("stable, for machines.");
    assertThat(words(kubectl("explain", "ndp.status.preflight.remedy")))
        .contains("What a person can do");
  }

  /** The description in the OpenAPI document that kubectl explain reads. */
  private String published(String plural, String path) {
    JsonNode schemas = api.get("/openapi/v3/apis/pointsman.io/v1alpha1").at("/components/schemas");
    String kind = Schemas.crd(plural).at("/spec/names/kind").asText();
    JsonNode schema = schemas.get("io.pointsman.v1alpha1." + kind);
    for (String name : path.split("\\.")) {
      JsonNode in = schema.has("items") ? schema.get("items") : schema;
      schema = in.get("properties").get(name);
    }
    return schema.get("description").asText();
  }

  private static String words(String text) {
    return text.replaceAll("\\s+", " ");
  }

  private static String kubectl(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--kubeconfig=" + ApiServer.shared().kubeconfig());
    var ended = Programs.run("kubectl", all);
    assertThat(ended.exit()).as(ended.err()).isZero();
    return ended.out();
  }

  private void applyStatus(String path, String manager, JsonNode body) {
    api.apply(path + "/resource-test/status", manager, body);
  }

  private static String condition(String type) {
    return """
        status:
          conditions:
          - {type: %s, status: "True", reason: Test, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}
        """
        .formatted(type);
  }

  private static ObjectNode pdp(String rest) {
    return resource("ProxyDataplane", rest);
  }

  private static ObjectNode resource(String kind, String rest) {
    return Yaml.object(
        """
        apiVersion: pointsman.io/v1alpha1
        kind: %s
        metadata: {name: resource-test}
        %s
        """
            .formatted(kind, rest));
  }

  private static List<String> columns(JsonNode table, int priority) {
    List<String> names = new ArrayList<>();
    for (JsonNode column : table.get("columnDefinitions")) {
      if (column.get("priority").asInt() == priority) {
        names.add(column.get("name").asText());
      }
    }
    return names;
  }

  private static List<String> cells(JsonNode table) {
    List<String> cells = new ArrayList<>();
    table.at("/rows/0/cells").forEach(it -> cells.add(it.asText()));
    return cells;
  }
}
