// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import io.pointsman.testing.Yaml;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the chart renders, and what it refuses to. */
@OnSharedApiServer
class RenderTest {
  private static final List<String> KINDS_OF_OTHERS = List.of("ServiceMonitor", "PodMonitor");

  @Test
  void lintIsClean() {
    Programs.Ended ended = Chart.run(List.of("lint", "--strict", Chart.FOLDER));
    assertThat(ended.exit()).as(ended.out() + ended.err()).isZero();
    assertThat(ended.out()).doesNotContain("[WARNING]", "[ERROR]");
  }

  @Test
  void defaultsRenderTheseAndNothingElse() {
    assertThat(Chart.render())
        .extracting(it -> it.get("kind").asText() + " " + it.at("/metadata/name").asText())
        .containsExactlyInAnyOrder(
            "CustomResourceDefinition nodedataplanes.pointsman.io",
            "CustomResourceDefinition proxydataplanes.pointsman.io",
            "ServiceAccount pointsman-operator",
            "ServiceAccount pointsman-agent",
            "ClusterRole pointsman-operator",
            "ClusterRole pointsman-agent",
            "ClusterRoleBinding pointsman-operator",
            "ClusterRoleBinding pointsman-agent",
            "Role pointsman-operator",
            "Role pointsman-operator-kube-proxy",
            "RoleBinding pointsman-operator",
            "RoleBinding pointsman-operator-kube-proxy",
            "Role pointsman-operator-events",
            "RoleBinding pointsman-operator-events",
            "Role pointsman-agent-events",
            "RoleBinding pointsman-agent-events",
            "ValidatingAdmissionPolicy pointsman-agent",
            "ValidatingAdmissionPolicyBinding pointsman-agent",
            "PodDisruptionBudget pointsman-operator",
            "Service pointsman-probe",
            "Deployment pointsman-operator");
  }

  /** What nft and iptables-save take beside it follows the node's rules, not the agent. */
  @Test
  void theAgentsMemoryHasNoLimit() {
    JsonNode operator = Chart.manifest(Chart.render(), "Deployment", "pointsman-operator");
    assertThat(operator.at("/spec/template/spec/containers/0/env"))
        .filteredOn(it -> it.get("name").asText().equals("POINTSMAN_AGENT_RESOURCES"))
        .singleElement()
        .satisfies(
            it ->
                assertThat(it.get("value").asText()).contains("requests").doesNotContain("limits"));
  }

  /** Each switch by itself: the value, a pointer into a manifest, and what is there then. */
  @TestFactory
  Stream<DynamicTest> switchesDoWhatTheySay() {
    return switches()
        .map(row -> DynamicTest.dynamicTest(row.get("set").asText(), () -> assertSwitch(row)));
  }

  private static void assertSwitch(JsonNode row) {
    List<String> values = values(row);
    assertShows(Chart.render(values.toArray(String[]::new)), row);
    String[] others = values.subList(0, values.size() - 1).toArray(String[]::new);
    assertThatThrownBy(() -> assertShows(Chart.render(others), row))
        .as("without " + values.getLast())
        .isInstanceOf(AssertionError.class);
  }

  private static void assertShows(List<JsonNode> manifests, JsonNode row) {
    String kind = row.get("kind").asText();
    String name = row.get("name").asText();
    if (row.path("absent").asBoolean()) {
      assertThat(manifests)
          .noneMatch(
              it ->
                  it.get("kind").asText().equals(kind)
                      && it.at("/metadata/name").asText().equals(name));
      return;
    }
    JsonNode found = Chart.manifest(manifests, kind, name);
    for (var expected : row.path("has").properties()) {
      assertThat(found.at(expected.getKey())).as(expected.getKey()).isEqualTo(expected.getValue());
    }
    for (JsonNode pointer : row.path("lacks")) {
      assertThat(found.at(pointer.asText()).isMissingNode()).as(pointer.asText()).isTrue();
    }
  }

  /** What a row sets, one value each; a list in braces has commas of its own. */
  private static List<String> values(JsonNode row) {
    return List.of(row.get("set").asText().split(",(?![^{]*})"));
  }

  @Test
  void everyValueHasASwitch() {
    Set<String> paths = ValuesFile.paths(Yaml.object(Project.read(Chart.FOLDER + "/values.yaml")));
    List<String> about = switches().map(row -> values(row).getLast()).toList();
    assertThat(paths)
        .filteredOn(path -> paths.stream().noneMatch(it -> it.startsWith(path + ".")))
        .allSatisfy(path -> assertThat(about).anyMatch(it -> it.matches(path + "[.=\\[].*")));
  }

  private static Stream<JsonNode> switches() {
    return Yaml.array(Project.read("src/test/resources/io/pointsman/helm/switches.yaml"));
  }

  @TestFactory
  Stream<DynamicTest> wrongValuesAreRefused() {
    return Yaml.array(Project.read("src/test/resources/io/pointsman/helm/refused-values.yaml"))
        .map(row -> DynamicTest.dynamicTest(row.get("set").asText(), () -> assertRefused(row)));
  }

  private static void assertRefused(JsonNode row) {
    Programs.Ended ended = Chart.run("template", row.get("set").asText());
    assertThat(ended.exit()).isNotZero();
    assertThat(ended.err())
        .contains("values don't meet the specifications of the schema")
        .contains(row.get("says").asText());
  }

  @TestFactory
  Stream<DynamicTest> everyManifestIsAcceptedByTheApiServer() {
    return Stream.of(
            "crds.keep=true",
            "dataplane.enabled=true",
            "image.pullSecrets[0].name=secret",
            "operator.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key=a,operator.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator=Exists",
            "probe.nodePort=30123",
            "operator.podAnnotations.a=b,operator.podLabels.c=d,operator.extraEnv[0].name=E",
            "metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true")
        .map(value -> DynamicTest.dynamicTest(value, () -> assertAccepted(value)));
  }

  private static void assertAccepted(String value) {
    Chart.apply(ApiServer.shared(), Stream.of(Chart.namespace()));
    Chart.apply(
        ApiServer.shared(),
        Chart.render(value).stream()
            .filter(it -> !KINDS_OF_OTHERS.contains(it.get("kind").asText())),
        "--dry-run=server");
  }

  @Test
  void everyValueIsDocumented() {
    List<String> lines = Project.read(Chart.FOLDER + "/values.yaml").lines().toList();
    assertThat(ValuesFile.undocumented(lines)).isEmpty();
  }

  @Test
  void schemaKnowsTheSameValues() {
    JsonNode values = Yaml.object(Project.read(Chart.FOLDER + "/values.yaml"));
    JsonNode schema = Yaml.object(Project.read(Chart.FOLDER + "/values.schema.json"));
    assertThat(ValuesFile.paths(values)).isEqualTo(ValuesFile.schemaPaths(schema));
  }

  @Test
  void chartAndResourcesAgreeOnTheDefaultsOfKubeProxy() {
    JsonNode values = Yaml.object(Project.read(Chart.FOLDER + "/values.yaml")).get("kubeProxy");
    var resource = new io.pointsman.api.KubeProxy();
    assertThat(values.get("namespace").asText()).isEqualTo(resource.namespace);
    assertThat(values.get("daemonSet").asText()).isEqualTo(resource.daemonSet);
  }
}
