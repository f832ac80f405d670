// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.pointsman.operator.plan.Names;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** kube-proxy's DaemonSet when it is missing, or when somebody else writes to it. */
@NullUnmarked
class KubeProxyHandoverTest {
  private final Stage stage = Stage.shared();

  @AfterEach
  void clear() {
    stage.clear();
  }

  @Test
  void aStolenSelectorIsNamedAndPutBack() {
    stage.nodes("n1", "n2").kubeProxy();
    stage.operator("a");
    stage.dataplane("default", spec -> {});
    stage.awaitCondition("default", "Ready", "True/Converged");

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

  private void applyBySomeTool() {
    DaemonSet live =
        stage.admin.apps().daemonSets().inNamespace(Stage.KUBE_SYSTEM).withName("kube-proxy").get();
    live.getMetadata().setManagedFields(null);
    live.getSpec().getTemplate().getSpec().setNodeSelector(Map.of("kubernetes.io/os", "linux"));
    stage.admin.resource(live).fieldManager("some-tool").forceConflicts().serverSideApply();
  }

  private java.util.List<String> kubeProxyManagers() {
    return stage
        .admin
        .apps()
        .daemonSets()
        .inNamespace(Stage.KUBE_SYSTEM)
        .withName("kube-proxy")
        .get()
        .getMetadata()
        .getManagedFields()
        .stream()
        .map((ManagedFieldsEntry entry) -> entry.getManager() + "/" + entry.getOperation())
        .toList();
  }
}
