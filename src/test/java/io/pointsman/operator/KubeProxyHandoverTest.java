// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static io.pointsman.operator.Cluster.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategy;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategyBuilder;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.PodUpdates;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** kube-proxy's DaemonSet when it is missing, or when somebody else writes to it. */
@NullUnmarked
class KubeProxyHandoverTest {
  private static final DaemonSetUpdateStrategy ON_DELETE =
      new DaemonSetUpdateStrategyBuilder().withType("OnDelete").build();

  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  @Test
  void aStolenSelectorIsNamedAndPutBack() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.converge("default");

    applyBySomeTool();
    stage.awaitCondition("default", "KubeProxyDetached", "False/SelectorRemoved");
    assertThat(
            stage.dataplane("default").getStatus().conditions.stream()
                .filter(condition -> condition.reason.equals("SelectorRemoved")))
        .allMatch(condition -> condition.message.startsWith("Field manager some-tool has taken"));

    stage.awaitCondition("default", "KubeProxyDetached", "True/Detached");
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.kubeProxyNodes()).isEmpty();
    assertThat(stage.selector()).containsEntry(Names.KUBE_PROXY_LABEL, "on");
    assertThat(stage.events()).contains("SelectorRemoved", "SelectorRestored");
    assertThat(kubeProxyManagers()).contains("pointsman-operator/Apply");
  }

  @Test
  void podsThatOnlyLackTheSelectorAreKept() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.converge("default");

    DaemonSet live = stage.kubeProxyDaemonSet();
    assertThat(live.getSpec().getUpdateStrategy().getType()).isEqualTo("OnDelete");
    assertThat(live.getMetadata().getAnnotations())
        .containsEntry(Names.PODS_KEPT_AT, live.getMetadata().getGeneration().toString());
    assertThat(stage.events()).doesNotContain("KubeProxyUpdates");

    stage.leave("default");
    stage.assertNothingIsLeft("n1", "n2");
  }

  @Test
  void anUpdateOfKubeProxyGoesByItsOwnStrategy() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.converge("default");

    edit(live -> container(live).setImage("kube-proxy:next"));
    await().untilAsserted(stage::assertUpdatesByItself);
    assertThat(stage.selector()).containsEntry(Names.KUBE_PROXY_LABEL, "on");
    assertThat(container(stage.kubeProxyDaemonSet()).getImage()).isEqualTo("kube-proxy:next");
    await().untilAsserted(() -> assertThat(stage.events()).contains("KubeProxyUpdates"));

    stage.leave("default");
    stage.assertNothingIsLeft("n1", "n2");
  }

  @Test
  void anUpdateThatHasBegunIsNotStopped() {
    stage.nodes("n1").kubeProxy();
    updated(1, 2);
    stage.converge("default");

    assertThat(stage.selector()).containsEntry(Names.KUBE_PROXY_LABEL, "on");
    stage.assertUpdatesByItself();
  }

  @Test
  void anOwnStrategyOfDeletingByHandStays() {
    stage.nodes("n1").kubeProxy();
    edit(live -> live.getSpec().setUpdateStrategy(ON_DELETE));
    await().until(() -> Reductions.observed(stage.kubeProxyDaemonSet()));
    stage.converge("default");
    assertThat(Reductions.updates(stage.kubeProxyDaemonSet())).isEqualTo(PodUpdates.OWN);

    stage.leave("default");
    assertThat(stage.selector()).doesNotContainKey(Names.KUBE_PROXY_LABEL);
    assertThat(stage.kubeProxyDaemonSet().getSpec().getUpdateStrategy().getType())
        .isEqualTo("OnDelete");
  }

  @Test
  void aMissingDaemonSetIsSaidWithARemedy() {
    stage.nodes("n1");
    stage.operator("a");
    stage.dataplane("default", spec -> {});

    stage.awaitCondition("default", "KubeProxyDetached", "False/DaemonSetMissing");
    assertThat(stage.condition("default", "Stalled")).isEqualTo("True/DaemonSetMissing");
    assertThat(stage.dataplane("default").getStatus().message).contains("Unmanaged");
    assertThat(stage.steps()).isEmpty();
    stage.edit(
        "default",
        spec -> spec.kubeProxy.management = io.pointsman.api.KubeProxyManagement.UNMANAGED);
    stage.awaitCondition("default", "Ready", "True/Converged");
    assertThat(stage.steps()).isEqualTo("n1=CLEAN/null");
  }

  @Test
  void aNamespaceThatMayNotBeReadIsAMissingDaemonSet() {
    stage.nodes("n1").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> spec.kubeProxy.namespace = "elsewhere");

    stage.awaitCondition("default", "KubeProxyDetached", "False/DaemonSetMissing");
    assertThat(stage.dataplane("default").getStatus().message)
        .contains("elsewhere/kube-proxy", "the chart's value kubeProxy");
  }

  /** Edits as a person does: again when somebody was faster. */
  private void edit(Consumer<DaemonSet> change) {
    await()
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              DaemonSet live = stage.kubeProxyDaemonSet();
              change.accept(live);
              stage.admin.resource(live).update();
            });
  }

  /** Says as the DaemonSet's controller does how many pods are of the present template. */
  private void updated(int updated, int all) {
    await().until(() -> Reductions.observed(stage.kubeProxyDaemonSet()));
    stage
        .admin
        .resource(stage.kubeProxyDaemonSet())
        .editStatus(
            live ->
                new DaemonSetBuilder(live)
                    .editStatus()
                    .withUpdatedNumberScheduled(updated)
                    .withCurrentNumberScheduled(all)
                    .endStatus()
                    .build());
  }

  private static Container container(DaemonSet live) {
    return live.getSpec().getTemplate().getSpec().getContainers().getFirst();
  }

  private void applyBySomeTool() {
    DaemonSet live = stage.kubeProxyDaemonSet();
    live.getMetadata().setManagedFields(null);
    live.getSpec().getTemplate().getSpec().setNodeSelector(Map.of("kubernetes.io/os", "linux"));
    stage.admin.resource(live).fieldManager("some-tool").forceConflicts().serverSideApply();
  }

  private java.util.List<String> kubeProxyManagers() {
    return stage.kubeProxyDaemonSet().getMetadata().getManagedFields().stream()
        .map((ManagedFieldsEntry entry) -> entry.getManager() + "/" + entry.getOperation())
        .toList();
  }
}
