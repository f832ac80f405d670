// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.Project;
import io.pointsman.testing.RestClient;
import io.pointsman.testing.Yaml;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What each account may do: all of the table, nothing else, and enough for the calls it makes. */
@OnSharedApiServer
class RightsTest {
  private static final String CONFIG_MAPS = "/api/v1/namespaces/pointsman-system/configmaps/";
  private static final String DAEMON_SETS = "/apis/apps/v1/namespaces/kube-system/daemonsets/";

  private static final String AGENTS = "/apis/apps/v1/namespaces/pointsman-system/daemonsets";
  private static final String EVENTS = "/apis/events.k8s.io/v1/namespaces/%s/events";
  private static final String LEASES =
      "/apis/coordination.k8s.io/v1/namespaces/pointsman-system/leases";

  private static final List<JsonNode> MANIFESTS = Chart.render();

  @BeforeAll
  static void install() {
    Chart.apply(ApiServer.shared(), Stream.of(Chart.namespace()));
    Chart.apply(
        ApiServer.shared(),
        MANIFESTS.stream()
            .filter(it -> it.get("apiVersion").asText().startsWith("rbac.authorization.k8s.io")));
  }

  @AfterAll
  static void clear() {
    try (var administrator = RestClient.of(ApiServer.shared())) {
      administrator.delete(CONFIG_MAPS + "pointsman-api-servers");
      administrator.delete(DAEMON_SETS + "kube-proxy");
      administrator.delete(DAEMON_SETS + "other");
      administrator.delete(AGENTS + "/pointsman-agent");
      administrator.delete(LEASES + "/pointsman-operator");
    }
  }

  @Test
  void accountsHaveTheRightsOfTheTableAndNoOthers() {
    List<Right> table = rows().flatMap(Right::ofRow).toList();
    assertThat(Right.ofManifests(MANIFESTS)).containsExactlyInAnyOrderElementsOf(table);
  }

  @Test
  void everyRightHasItsReason() {
    assertThat(rows()).allSatisfy(row -> assertThat(row.path("why").asText()).isNotBlank());
  }

  @Test
  void nothingIsGivenByAStar() {
    assertThat(Right.ofManifests(MANIFESTS))
        .noneMatch(
            it -> it.group().equals("*") || it.resource().contains("*") || it.verb().equals("*"));
  }

  @Test
  void nobodyReadsSecretsOrActsForOthers() {
    assertThat(Right.ofManifests(MANIFESTS))
        .noneMatch(it -> it.resource().startsWith("secrets"))
        .noneMatch(it -> it.resource().startsWith("pods/"))
        .noneMatch(it -> List.of("escalate", "bind", "impersonate").contains(it.verb()));
  }

  @Test
  void bothTellEventsWhereThoseOfClusterScopedObjectsAre() {
    for (String account : List.of("pointsman-operator", "pointsman-agent")) {
      try (var client = as(account)) {
        client.post(EVENTS.formatted("default"), event("default"));
        assertThatThrownBy(() -> client.post(EVENTS.formatted("kube-system"), event("kube-system")))
            .hasMessageContaining("cannot create resource \"events\"");
        assertThatThrownBy(() -> client.get(EVENTS.formatted("default")))
            .hasMessageContaining("cannot list resource \"events\"");
      }
    }
  }

  @Test
  void operatorAppliesItsOwnConfigMapAndNoOther() {
    try (var operator = operator()) {
      operator.apply(
          CONFIG_MAPS + "pointsman-api-servers",
          "pointsman-operator",
          configMap("pointsman-api-servers"));
      operator.apply(
          CONFIG_MAPS + "pointsman-api-servers",
          "pointsman-operator",
          configMap("pointsman-api-servers"));
      assertThatThrownBy(
              () -> operator.apply(CONFIG_MAPS + "other", "pointsman-operator", configMap("other")))
          .hasMessageContaining("cannot patch resource \"configmaps\"");
      operator.get(
          "/api/v1/namespaces/pointsman-system/configmaps?fieldSelector=metadata.name%3Dpointsman-api-servers");
      assertThatThrownBy(() -> operator.get("/api/v1/namespaces/pointsman-system/configmaps"))
          .hasMessageContaining("cannot list resource \"configmaps\"");
    }
  }

  @Test
  void operatorChangesKubeProxyAndNoOtherDaemonSet() {
    try (var operator = operator();
        var administrator = RestClient.of(ApiServer.shared())) {
      for (String name : List.of("kube-proxy", "other")) {
        administrator.apply(DAEMON_SETS + name, "test", daemonSet(name));
      }
      JsonNode selector =
          Yaml.object(
              "spec: {template: {spec: {nodeSelector: {pointsman.io/kube-proxy: \"on\"}}}}");
      operator.merge(DAEMON_SETS + "kube-proxy", selector);
      assertThatThrownBy(() -> operator.merge(DAEMON_SETS + "other", selector))
          .hasMessageContaining("cannot patch resource \"daemonsets\"");
      assertThatThrownBy(() -> operator.delete(DAEMON_SETS + "kube-proxy"))
          .hasMessageContaining("cannot delete resource \"daemonsets\"");
    }
  }

  @Test
  void operatorWatchesTheAgentsDaemonSetByItsNameAndNoOther() {
    try (var operator = operator()) {
      operator.apply(AGENTS + "/pointsman-agent", "test", daemonSet("pointsman-agent"));
      assertThat(
              operator.get(AGENTS + "?fieldSelector=metadata.name%3Dpointsman-agent").get("items"))
          .hasSize(1);
      assertThatThrownBy(() -> operator.get(AGENTS))
          .hasMessageContaining("cannot list resource \"daemonsets\"");
    }
  }

  @Test
  void operatorTakesItsLease() {
    try (var operator = operator()) {
      JsonNode lease =
          Yaml.object(
              """
              apiVersion: coordination.k8s.io/v1
              kind: Lease
              metadata: {name: pointsman-operator}
              spec: {holderIdentity: one}
              """);
      operator.post(LEASES, lease);
      JsonNode taken =
          operator.merge(
              LEASES + "/pointsman-operator", Yaml.object("spec: {holderIdentity: two}"));
      assertThat(taken.at("/spec/holderIdentity").asText()).isEqualTo("two");
      assertThatThrownBy(() -> operator.get(LEASES + "/other"))
          .hasMessageContaining("cannot get resource \"leases\"");
    }
  }

  private static RestClient operator() {
    return as("pointsman-operator");
  }

  private static RestClient as(String account) {
    return RestClient.of(ApiServer.shared())
        .with("Impersonate-User", "system:serviceaccount:pointsman-system:" + account)
        .with("Impersonate-Group", "system:serviceaccounts");
  }

  private static JsonNode event(String namespace) {
    return Yaml.object(
        """
        apiVersion: events.k8s.io/v1
        kind: Event
        metadata: {generateName: rights-, namespace: %s}
        eventTime: "2026-01-01T00:00:00.000000Z"
        reportingController: test
        reportingInstance: test
        type: Normal
        reason: Test
        action: Test
        regarding: {apiVersion: pointsman.io/v1alpha1, kind: ProxyDataplane, name: rights}
        """
            .formatted(namespace));
  }

  private static JsonNode configMap(String name) {
    return Yaml.object(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {servers: \"[]\"}}"
            .formatted(name));
  }

  private static JsonNode daemonSet(String name) {
    return Yaml.object(
        """
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {name: %s}
        spec:
          selector: {matchLabels: {app: test}}
          template:
            metadata: {labels: {app: test}}
            spec: {containers: [{name: c, image: i}]}
        """
            .formatted(name));
  }

  private static Stream<JsonNode> rows() {
    return Yaml.array(Project.read("src/test/resources/io/pointsman/helm/rights.yaml"));
  }
}
