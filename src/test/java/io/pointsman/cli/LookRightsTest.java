// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.testing.ApiServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said where a right is missing. */
class LookRightsTest {
  private static final String RIGHTS =
      """
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: {name: looker}
      rules:
      - {apiGroups: [""], resources: [nodes, services], verbs: [list]}
      - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list]}
      - {apiGroups: [batch], resources: [jobs], verbs: [create, list, deletecollection]}
      - {apiGroups: [""], resources: [pods], verbs: [list, deletecollection]}
      """;

  private static final String BINDING =
      """
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: looker}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looker}
      subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: looker}]
      """;

  private static KubernetesClient looker(ApiServer server) {
    try (KubernetesClient admin = server.client()) {
      admin.resource(RIGHTS).create();
      admin.resource(BINDING).create();
      var node =
          new NodeBuilder()
              .withNewMetadata()
              .withName("node-1")
              .endMetadata()
              .withNewStatus()
              .addNewCondition()
              .withType("Ready")
              .withStatus("True")
              .endCondition()
              .endStatus()
              .build();
      admin.resource(node).create();
      admin.resource(node).updateStatus();
    }
    KubernetesClient client = server.clientAs("looker", "system:authenticated");
    await().ignoreExceptions().until(() -> !client.nodes().list().getItems().isEmpty());
    return client;
  }

  private static VerifyReport look(KubernetesClient client) {
    return new ClusterLook(client, LookSettingsTest.settings(0, 1)).at(List.of());
  }

  @Test
  void whereThereIsPointsmanItsNodesMustBeSeen() {
    try (ApiServer server = ApiServer.start();
        KubernetesClient client = looker(server)) {
      var failure = catchThrowableOfType(KubernetesClientException.class, () -> look(client));
      assertThat(ClusterOptions.reason(failure))
          .startsWith("nodedataplanes.pointsman.io is forbidden: User \"looker\" cannot list")
          .endsWith("have this right granted, the user guide lists all that are needed");
    }
  }

  @Test
  void elsewhereNoRightOfPointsmansIsAskedForAndEventsMayBeHidden() {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient admin = server.client();
        KubernetesClient client = looker(server)) {
      StringWriter text = new StringWriter();
      look(client).printTable(new PrintWriter(text));
      assertThat(text.toString())
          .contains("its pod did not start in 1 seconds: nothing made it, and its Events")
          .contains("events is forbidden");
      assertThat(admin.batch().v1().jobs().inAnyNamespace().list().getItems()).isEmpty();
    }
  }
}
