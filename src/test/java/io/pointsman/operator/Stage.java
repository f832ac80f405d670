// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A real API server with Nodes and kube-proxy's DaemonSet, on which {@link Players} play kubelets
 * and agents. The operator acts as its service account with the chart's rights, and no others.
 */
final class Stage extends Cluster implements AutoCloseable {
  private static final String ACCOUNT = "pointsman-operator";

  /** From the server's cache, which is filled some time after a CRD is established. */
  private static final ListOptions SERVED =
      new ListOptionsBuilder().withResourceVersion("0").build();

  private final ApiServer server;
  final Players players;
  final AtomicInteger leasesLost = new AtomicInteger();
  private final List<Running> running = new ArrayList<>();

  private record Running(PointsmanOperator operator, KubernetesClient client) {}

  /** The stage that the tests of this JVM share; each of them clears it. */
  static Stage shared() {
    return Shared.STAGE;
  }

  private Stage(ApiServer server) {
    super(server.client());
    this.server = server;
    this.players = new Players(admin);
    for (String namespace : List.of(NAMESPACE, KUBE_SYSTEM, "default")) {
      admin
          .resource(
              new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
          .serverSideApply();
    }
    account(KUBE_SYSTEM, "default");
    account(NAMESPACE, ACCOUNT);
    rights();
    endpoints();
    await()
        .ignoreExceptions()
        .until(() -> admin.resources(ProxyDataplane.class).list(SERVED).getItems().isEmpty());
  }

  /** Starts an operator; the name is its identity in the lease. */
  PointsmanOperator operator(String identity) {
    KubernetesClient client =
        server.clientAs(
            "system:serviceaccount:" + NAMESPACE + ":" + ACCOUNT,
            "system:serviceaccounts",
            "system:serviceaccounts:" + NAMESPACE,
            "system:authenticated");
    var operator = new PointsmanOperator(options(identity), client, leasesLost::incrementAndGet);
    running.add(new Running(operator, client));
    operator.start();
    return operator;
  }

  /** Starts an operator and brings every node to BPF. */
  void converge(String name) {
    operator("a");
    dataplane(name, spec -> {});
    awaitCondition(name, "Ready", "True/Converged");
  }

  void stop(PointsmanOperator operator) {
    operator.close();
    running.stream().filter(one -> one.operator() == operator).forEach(one -> one.client().close());
    running.removeIf(one -> one.operator() == operator);
  }

  static OperatorOptions options(String identity) {
    return new OperatorOptions(
        NAMESPACE,
        identity,
        "pointsman/pointsman:test",
        "IfNotPresent",
        "pointsman-agent",
        new ResourceRequirementsBuilder()
            .addToRequests("cpu", new Quantity("1000m"))
            .addToLimits("memory", new Quantity("1024Mi"))
            .build(),
        List.of(),
        List.of(),
        "system-node-critical",
        List.of(),
        Map.of("POINTSMAN_LOG_LEVEL", "INFO", "POINTSMAN_MAP_FLOWS", "1000"),
        "0.0.0-test",
        new OperatorOptions.Timings(
            Duration.ofSeconds(2),
            Duration.ofSeconds(6),
            Duration.ofSeconds(4),
            Duration.ofMillis(500)));
  }

  /** Ends the operators and takes everything away again. */
  void clear() {
    List.copyOf(running).forEach(one -> stop(one.operator()));
    players.rest();
    admin.leases().inNamespace(NAMESPACE).delete();
    for (ProxyDataplane dataplane : admin.resources(ProxyDataplane.class).list().getItems()) {
      admin
          .resource(dataplane)
          .edit(
              one -> {
                one.getMetadata().setFinalizers(List.of());
                return one;
              });
    }
    admin.resources(ProxyDataplane.class).delete();
    admin.resources(NodeDataplane.class).delete();
    for (Node node : admin.nodes().list().getItems()) {
      admin.resource(node).delete();
    }
    admin.pods().inNamespace(KUBE_SYSTEM).withGracePeriod(0).delete();
    admin.apps().daemonSets().inNamespace(KUBE_SYSTEM).delete();
    admin.apps().daemonSets().inNamespace(NAMESPACE).delete();
    admin.configMaps().inNamespace(NAMESPACE).delete();
    admin.events().v1().events().inNamespace("default").delete();
    leasesLost.set(0);
  }

  @Override
  public void close() {
    clear();
    players.close();
    admin.close();
    server.close();
  }

  private void account(String namespace, String name) {
    admin
        .resource(
            new ServiceAccountBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .endMetadata()
                .build())
        .serverSideApply();
  }

  /** A server on loopback does not publish its own address. */
  private void endpoints() {
    admin
        .resource(
            new EndpointSliceBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("kubernetes")
                .addToLabels("kubernetes.io/service-name", "kubernetes")
                .endMetadata()
                .withAddressType("IPv4")
                .addNewPort()
                .withName("https")
                .withPort(6443)
                .endPort()
                .addNewEndpoint()
                .withAddresses("192.0.2.7", "192.0.2.6")
                .endEndpoint()
                .build())
        .serverSideApply();
  }

  /** The rights that the chart gives the operator. */
  private void rights() {
    var rendered =
        Programs.run(
            "helm",
            List.of(
                "template",
                "pointsman",
                Project.folder().resolve("helm/pointsman").toString(),
                "--namespace",
                NAMESPACE,
                "--show-only",
                "templates/operator-rbac.yaml"));
    if (rendered.exit() != 0) {
      throw new IllegalStateException("helm template failed: " + rendered.err());
    }
    admin.load(new ByteArrayInputStream(rendered.out().getBytes(StandardCharsets.UTF_8))).create();
  }

  /** Started when it is first asked for. */
  private static final class Shared {
    static final Stage STAGE = new Stage(ApiServer.start());

    static {
      Runtime.getRuntime().addShutdownHook(new Thread(STAGE::close));
    }
  }
}
