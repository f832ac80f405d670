// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.KubeProxyManagement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is to be done to kube-proxy's DaemonSet, by what it carries and who names it. */
class HandoverTest {
  @ParameterizedTest(name = "{0}, selector {1}, pods {2}: {3}")
  @CsvSource({
    "managed, false, OWN, hold",
    "managed, true, OWN, ''",
    "managed, true, KEPT, ''",
    "managed, true, KEPT_TOO_LONG, update",
    "managed, false, KEPT, hold",
    "managed, false, KEPT_TOO_LONG, hold",
    "unmanaged, false, OWN, ''",
    "unmanaged, true, KEPT, ''",
    "unmanaged, false, KEPT_TOO_LONG, update",
    "nobody, false, OWN, ''",
    "nobody, true, OWN, release",
    "nobody, true, KEPT, release",
    "nobody, true, KEPT_TOO_LONG, release",
    "nobody, false, KEPT, release",
    "nobody, false, KEPT_TOO_LONG, release",
  })
  void asks(String namedBy, boolean selector, PodUpdates updates, String wanted) {
    Scene scene = Scene.of("n1");
    scene.writeLabel("n1", true);
    scene.select(selector ? Names.KUBE_PROXY_ON : null);
    scene.updates = updates;
    if (namedBy.equals("nobody")) {
      scene.delete("default");
    } else if (namedBy.equals("unmanaged")) {
      scene.edit(spec -> spec.kubeProxy.management = KubeProxyManagement.UNMANAGED);
    }

    Handover handover = Handover.plan(scene.view());
    List<DaemonSetRef> one = List.of(Scene.KUBE_PROXY);
    assertThat(handover.hold()).isEqualTo(wanted.equals("hold") ? one : List.of());
    assertThat(handover.release()).isEqualTo(wanted.equals("release") ? one : List.of());
    assertThat(handover.update()).isEqualTo(wanted.equals("update") ? one : List.of());
  }

  /** The selector stays, so that kube-proxy does not come to the nodes that it has left. */
  @Test
  void whereNobodyManagesKubeProxyAnyMoreItComesToNewNodesOnly() {
    Scene scene = Scene.of("n1").settle();
    scene.edit(spec -> spec.kubeProxy.management = KubeProxyManagement.UNMANAGED).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/null");
    scene.node("n0").settle();
    assertThat(scene.steps()).isEqualTo("n0=CLEAN/null n1=CLEAN/null");
    assertThat(scene.pods).isEmpty();

    scene.label("n0", "pool", "a").label("n1", "pool", "a");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a")).node("n2").settle();
    assertThat(scene.pods).as("nobody else serves there").containsOnlyKeys("n2");
  }

  @Test
  void theNodesOfWhoManagesKubeProxyHimselfAreLeftAlone() {
    Scene scene = Scene.of("n1", "n2").label("n1", "pool", "a").label("n2", "pool", "b");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.dataplane("other", spec -> spec.nodeSelector = Map.of("pool", "b")).settle();
    assertThat(scene.pods).isEmpty();

    scene.edit(spec -> spec.kubeProxy.management = KubeProxyManagement.UNMANAGED).settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/null n2=CLEAN/DETACHED");
    assertThat(scene.pods).isEmpty();
    scene.edit(spec -> spec.kubeProxy.management = KubeProxyManagement.MANAGED).look();
    assertThat(scene.view("n1").labelled()).isFalse();
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
  }
}
