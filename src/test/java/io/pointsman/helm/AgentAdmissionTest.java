// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.RestClient;
import io.pointsman.testing.RestClient.Refused;
import io.pointsman.testing.Yaml;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** An agent with the token of its pod writes its own node's status and nothing else. */
@OnSharedApiServer
class AgentAdmissionTest {
  private static final String NDP = "/apis/pointsman.io/v1alpha1/nodedataplanes/";
  private static final String ACCOUNT =
      "/api/v1/namespaces/pointsman-system/serviceaccounts/pointsman-agent/token";
  private static final List<String> NODES = List.of("admission-a", "admission-b");
  private static final Set<String> PARTS =
      Set.of("rbac.authorization.k8s.io/v1", "admissionregistration.k8s.io/v1");

  private static RestClient administrator;
  private static RestClient agent;

  @BeforeAll
  static void install() {
    administrator = RestClient.of(ApiServer.shared());
    Chart.apply(ApiServer.shared(), Stream.of(Chart.namespace()));
    Chart.apply(
        ApiServer.shared(),
        Chart.render().stream()
            .filter(
                it ->
                    PARTS.contains(it.get("apiVersion").asText())
                        || it.get("kind").asText().equals("ServiceAccount")));
    for (String node : NODES) {
      administrator.apply("/api/v1/nodes/" + node, "test", node(node));
      administrator.apply(NDP + node, "test", nodeDataplane(node));
    }
    administrator.apply(
        "/api/v1/namespaces/pointsman-system/pods/agent-a", "test", pod("agent-a", NODES.get(0)));
    agent = RestClient.withToken(ApiServer.shared(), token("agent-a"));
    // The API server takes a moment to know a new policy; until then node-b would be open.
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> refused(() -> write(agent, NODES.get(1))));
  }

  @AfterAll
  static void clear() {
    administrator.delete(
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/pointsman-agent");
    NODES.forEach(node -> administrator.delete(NDP + node));
    agent.close();
    administrator.close();
  }

  @Test
  void writesTheStatusOfItsOwnNode() {
    JsonNode written = write(agent, NODES.get(0));
    assertThat(written.at("/status/message").asText()).isEqualTo("by the agent");
  }

  @Test
  void appliesTheStatusOfItsOwnNodeAndDoesNotReplaceIt() {
    JsonNode own = agent.get(NDP + NODES.get(0));
    assertThatThrownBy(() -> agent.put(NDP + NODES.get(0) + "/status", own))
        .hasMessageContaining("cannot update resource \"nodedataplanes/status\"");
  }

  @Test
  void mayNotWriteTheStatusOfAnotherNode() {
    assertThatThrownBy(() -> write(agent, NODES.get(1)))
        .hasMessageContaining(
            "the agent of node admission-a may not write the status of admission-b");
  }

  @Test
  void mayNotWriteASpecNotEvenOfItsOwnNode() {
    JsonNode change = Yaml.object("spec: {step: Remove}");
    assertThatThrownBy(() -> agent.merge(NDP + NODES.get(0), change))
        .hasMessageContaining("cannot patch resource \"nodedataplanes\"");
    agent.merge(NDP + NODES.get(0) + "/status", change);
    assertThat(agent.get(NDP + NODES.get(0)).at("/spec/step").asText()).isEqualTo("Clean");
  }

  @Test
  void mayNotWriteASpecEvenIfSomebodyGaveItTheRight() {
    Chart.apply(ApiServer.shared(), tooMuch().stream());
    try {
      JsonNode change = Yaml.object("spec: {step: Remove}");
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () ->
                  assertThatThrownBy(() -> agent.merge(NDP + NODES.get(0), change))
                      .hasMessageContaining(
                          "an agent may write the status of a NodeDataplane and nothing else"));
      assertThatThrownBy(() -> agent.delete(NDP + NODES.get(0)))
          .hasMessageContaining(
              "an agent may write the status of a NodeDataplane and nothing else");
    } finally {
      administrator.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/admission-test");
      administrator.delete("/apis/rbac.authorization.k8s.io/v1/clusterroles/admission-test");
    }
  }

  @Test
  void tokenThatIsBoundToNoPodWritesNothing() {
    String token = administrator.post(ACCOUNT, tokenRequest("{}")).at("/status/token").asText();
    try (var unbound = RestClient.withToken(ApiServer.shared(), token)) {
      assertThatThrownBy(() -> write(unbound, NODES.get(0)))
          .hasMessageContaining("the agent has no token that is bound to a node");
    }
  }

  @Test
  void otherAccountsAreNotTouched() {
    JsonNode written = write(administrator, NODES.get(1));
    assertThat(written.at("/status/message").asText()).isEqualTo("by the agent");
  }

  private static boolean refused(Runnable call) {
    try {
      call.run();
      return false;
    } catch (Refused e) {
      return String.valueOf(e.getMessage()).contains("may not write the status of");
    }
  }

  private static JsonNode write(RestClient client, String node) {
    return client.apply(
        NDP + node + "/status",
        "pointsman-agent",
        Yaml.object(
            """
            apiVersion: pointsman.io/v1alpha1
            kind: NodeDataplane
            metadata: {name: %s}
            status: {message: by the agent}
            """
                .formatted(node)));
  }

  private static String token(String pod) {
    String uid =
        administrator
            .get("/api/v1/namespaces/pointsman-system/pods/" + pod)
            .at("/metadata/uid")
            .asText();
    String bound =
        "{boundObjectRef: {apiVersion: v1, kind: Pod, name: %s, uid: %s}}".formatted(pod, uid);
    return administrator.post(ACCOUNT, tokenRequest(bound)).at("/status/token").asText();
  }

  private static JsonNode tokenRequest(String spec) {
    return Yaml.object(
        "{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: %s}".formatted(spec));
  }

  private static JsonNode node(String name) {
    return Yaml.object("{apiVersion: v1, kind: Node, metadata: {name: %s}}".formatted(name));
  }

  private static JsonNode nodeDataplane(String name) {
    return Yaml.object(
        """
        apiVersion: pointsman.io/v1alpha1
        kind: NodeDataplane
        metadata: {name: %s}
        spec: {proxyDataplane: default, linuxDataplane: BPF, step: Clean}
        """
            .formatted(name));
  }

  private static JsonNode pod(String name, String node) {
    return Yaml.object(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          nodeName: %s
          serviceAccountName: pointsman-agent
          containers: [{name: agent, image: agent}]
        """
            .formatted(name, node));
  }

  private static List<JsonNode> tooMuch() {
    return Yaml.documents(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: admission-test}
            rules: [{apiGroups: [pointsman.io], resources: [nodedataplanes], verbs: [patch, delete]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: admission-test}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admission-test}
            subjects: [{kind: ServiceAccount, name: pointsman-agent, namespace: pointsman-system}]
            """)
        .toList();
  }
}
