// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static io.pointsman.operator.Stage.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.OnFailure;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Scheduler;
import io.pointsman.operator.plan.Names;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@NullUnmarked
class OperatorTest {
  private static final String ALL_CLEAN = "n1=CLEAN/DETACHED n2=CLEAN/DETACHED n3=CLEAN/DETACHED";

  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  @Test
  void walksEveryNodeThereAndBack() {
    stage.nodes("n1", "n2", "n3").kubeProxy();
    stage.converge("default");
    assertThat(stage.steps()).isEqualTo(ALL_CLEAN);
    assertThat(stage.kubeProxyNodes()).isEmpty();
    assertThat(stage.labelledNodes()).isEmpty();
    assertThat(stage.selector())
        .isEqualTo(Map.of("kubernetes.io/os", "linux", Names.KUBE_PROXY_LABEL, "on"));
    ProxyDataplane ready = Objects.requireNonNull(stage.dataplane("default"));
    assertThat(ready.getStatus().convergedNodes).isEqualTo("3/3");
    assertThat(ready.getStatus().currentDataplane).isEqualTo(LinuxDataplane.BPF);
    assertThat(ready.getStatus().observedGeneration).isEqualTo(1);
    assertThat(ready.getStatus().operatorVersion).isEqualTo("0.0.0-test");
    assertThat(ready.getStatus().message).isEqualTo("3 of 3 nodes serve Services by BPF.");
    NodeDataplane node = stage.admin.resources(NodeDataplane.class).withName("n1").get();
    assertThat(node.getMetadata().getOwnerReferences())
        .allMatch(owner -> owner.getKind().equals("Node") && owner.getName().equals("n1"));
    assertThat(stage.events())
        .contains("SelectorSet", "Converged")
        .filteredOn(reason -> reason.equals("NodeConverged"))
        .hasSize(3);

    stage.leave("default");
    stage.assertNothingIsLeft("n1", "n2", "n3");
  }

  @Test
  void looksThatFindNothingNewWriteNothing() {
    stage.nodes("n1", "n2").kubeProxy();
    PointsmanOperator operator = stage.operator("a");
    stage.dataplane("default", spec -> {});
    stage.awaitCondition("default", "Ready", "True/Converged");
    look(operator, 3);

    Map<String, String> before = stage.versions();
    look(operator, 10);

    assertThat(stage.versions()).isEqualTo(before);
    assertThat(before).containsKeys("DaemonSet/pointsman-agent", "ConfigMap/pointsman-api-servers");
  }

  @Test
  void theAgentsAreKeptAsTheTemplateHasThem() {
    stage.nodes("n1").kubeProxy();
    stage.converge("default");
    var agents = agents();
    String uid = agents.get().getMetadata().getUid();

    agents.edit(
        one -> {
          one.getSpec().getTemplate().getSpec().getContainers().getFirst().setImage("other");
          return one;
        });
    await()
        .until(
            () ->
                agents
                    .get()
                    .getSpec()
                    .getTemplate()
                    .getSpec()
                    .getContainers()
                    .getFirst()
                    .getImage(),
            "pointsman/pointsman:test"::equals);
    agents.delete();
    await().until(() -> agents.get() != null && !agents.get().getMetadata().getUid().equals(uid));
  }

  @Test
  void theAgentsAreKeptWhileTheirNodesGoBack() {
    stage.nodes("n1").kubeProxy();
    stage.converge("default");
    String uid = agents().get().getMetadata().getUid();
    stage.players.holding.add("n1/DRAIN");
    stage.admin.resources(ProxyDataplane.class).withName("default").delete();
    await().until(stage::steps, "n1=DRAIN/ATTACHED"::equals);
    agents().delete();

    await()
        .until(() -> agents().get() != null && !agents().get().getMetadata().getUid().equals(uid));
    stage.players.rest();
    await().until(() -> stage.dataplane("default") == null);
    await().until(() -> agents().get() == null);
  }

  private Resource<DaemonSet> agents() {
    return stage.admin.apps().daemonSets().inNamespace(Stage.NAMESPACE).withName("pointsman-agent");
  }

  @Test
  void agentsFindTheApiServersByTheirOwnAddresses() {
    stage.nodes("n1").kubeProxy();
    stage.converge("default");

    var map = stage.admin.configMaps().inNamespace(Stage.NAMESPACE).withName(ApiServers.NAME);
    String urls = map.get().getData().get(ApiServers.KEY);
    assertThat(urls).isEqualTo("https://192.0.2.6:6443\nhttps://192.0.2.7:6443\n");
    map.edit(
        (ConfigMap one) -> {
          one.setData(Map.of(ApiServers.KEY, "https://192.0.2.1:1\n"));
          return one;
        });
    await().until(() -> urls.equals(map.get().getData().get(ApiServers.KEY)));
  }

  @Test
  void aFailureBringsTheNodeBackAndStopsTheRest() {
    stage.players.failing.add("n1/ACTIVATE");
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> {});

    stage.awaitCondition("default", "Ready", "False/RolloutStopped");
    await().until(stage::steps, "n1=REMOVE/ATTACHED n2=PREFLIGHT/ATTACHED"::equals);
    await().until(() -> stage.dataplane("default").getStatus().nodes.rolledBack == 1);
    assertThat(stage.condition("default", "Stalled")).isEqualTo("True/RolloutStopped");
    assertThat(stage.kubeProxyNodes()).containsExactly("n1", "n2");
    assertThat(stage.events()).containsOnlyOnce("NodeFailed", "NodesFailed");

    stage.players.rest();
    tryAgain("n1");
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.condition("default", "Stalled")).startsWith("False");
    var node = stage.admin.resources(NodeDataplane.class).withName("n1").require();
    // In its turn at first; to be looked at again, and in its turn.
    assertThat(node.getSpec().attempt).isEqualTo(3);
  }

  @Test
  void underPauseANodeIsTriedAgainWhenItsAnnotationIsTakenOff() {
    stage.players.failing.add("n1/ACTIVATE");
    stage.nodes("n1").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.rollout.onFailure = OnFailure.PAUSE);
    stage.awaitCondition("default", "Ready", "False/RolloutStopped");
    assertThat(stage.steps()).isEqualTo("n1=ACTIVATE/ATTACHED");

    stage.players.rest();
    tryAgain("n1");
    stage.awaitCondition("default", "Ready", "True/Converged");
  }

  /** As the guide says: kubectl annotate ndp NODE pointsman.io/failed-generation-. */
  private void tryAgain(String node) {
    stage
        .admin
        .resources(NodeDataplane.class)
        .withName(node)
        .edit(
            one -> {
              one.getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);
              return one;
            });
  }

  @Test
  void aFailureAfterDetachBringsKubeProxyBack() {
    stage.players.failing.add("n1/CLEAN");
    stage.nodes("n1").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> {});

    await().until(stage::steps, "n1=REMOVE/ATTACHED"::equals);
    assertThat(stage.kubeProxyNodes()).containsExactly("n1");
    assertThat(stage.events()).contains("KubeProxyLeft", "KubeProxyReturned");
  }

  @Test
  void aPausedRolloutGoesOnWhenItIsResumed() {
    stage.players.holding.add("n1/PREPARE");
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> {});
    await().until(stage::steps, "n1=PREPARE/ATTACHED n2=PREFLIGHT/ATTACHED"::equals);
    stage.edit("default", spec -> spec.rollout.paused = true);
    stage.awaitCondition("default", "Ready", "False/Paused");
    stage.players.rest();
    await()
        .until(
            () ->
                stage.admin.resources(NodeDataplane.class).withName("n1").get().getStatus().result
                    == io.pointsman.api.StepResult.DONE);
    assertThat(stage.steps()).isEqualTo("n1=PREPARE/ATTACHED n2=PREFLIGHT/ATTACHED");

    stage.edit("default", spec -> spec.rollout.paused = false);
    stage.awaitCondition("default", "Ready", "True/Converged");
  }

  @Test
  void nodesJoinLeaveAndAreAway() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.players.away.add("n2");
    stage.ready("n2", false);
    stage.converge("default");
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/DETACHED");
    assertThat(stage.dataplane("default").getStatus().message).contains("n2 is NotReady");
    assertThat(stage.labelledNodes()).containsExactly("n2");

    stage.nodes("n3");
    await().until(stage::steps, "n1=CLEAN/DETACHED n3=CLEAN/DETACHED"::equals);
    stage.players.rest();
    stage.ready("n2", true);
    await().until(stage::steps, ALL_CLEAN::equals);
    stage.admin.nodes().withName("n3").delete();
    await().until(stage::steps, "n1=CLEAN/DETACHED n2=CLEAN/DETACHED"::equals);
    stage.awaitCondition("default", "Converged", "True/AllNodes");
  }

  @Test
  void theYoungerOfTwoThatOverlapWaits() {
    stage.nodes("n1").kubeProxy();
    stage.converge("default");
    stage.dataplane("zweite", spec -> spec.nodeSelector.put("pool", "b"));

    stage.awaitCondition("zweite", "Accepted", "False/Overlap");
    assertThat(stage.condition("zweite", "Stalled")).isEqualTo("True/NotAccepted");
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/DETACHED");
    stage.admin.resources(ProxyDataplane.class).withName("zweite").delete();
    await().until(() -> stage.dataplane("zweite") == null);
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/DETACHED");
  }

  @Test
  void anEditGoesRound() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.converge("default");

    stage.edit("default", spec -> spec.scheduler = Scheduler.RANDOM);
    await()
        .until(
            () ->
                stage.admin.resources(NodeDataplane.class).list().getItems().stream()
                    .allMatch(node -> node.getSpec().scheduler == Scheduler.RANDOM));
    await().until(() -> stage.dataplane("default").getStatus().observedGeneration == 2);
    stage.awaitCondition("default", "Ready", "True/Converged");
  }

  @Test
  void aNodeThatIsAwayHoldsTheDeletionOnlyForSoLong() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.rollout.progressDeadlineSeconds = 10);
    stage.awaitCondition("default", "Ready", "True/Converged");
    stage.players.away.add("n1");
    stage.ready("n1", false);

    stage.admin.resources(ProxyDataplane.class).withName("default").delete();
    await().until(stage::steps, "n1=CLEAN/DETACHED"::equals);
    assertThat(stage.dataplane("default")).isNotNull();
    await().until(() -> stage.dataplane("default") == null);
    assertThat(stage.events()).contains("NodeAbandoned", "WalkedBack");
    assertThat(stage.steps()).isEmpty();
    assertThat(stage.kubeProxyNodes()).containsExactly("n2");
  }

  private static void look(PointsmanOperator operator, int times) {
    for (int time = 0; time < times; time++) {
      long before = operator.looks();
      operator.wake();
      await().until(() -> operator.looks() > before);
    }
  }
}
