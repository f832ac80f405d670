// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import io.pointsman.testing.ApiServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which nodes are looked at for a kube-proxy; here they could not be, as none is Ready. */
class ClusterLookTest {
  private static ApiServer server;
  private static KubernetesClient client;

  @BeforeAll
  static void start() {
    server = ApiServer.start();
    client = server.client();
  }

  @AfterAll
  static void end() {
    client.close();
    server.close();
  }

  /** Where kube-proxy is Unmanaged nothing is said of it. */
  @ParameterizedTest
  @CsvSource({
    "DETACHED,  ACTIVATE, true",
    "DETACHED,  CLEAN,    true",
    "ATTACHED,  ACTIVATE, false",
    "ATTACHING, DRAIN,    false",
    ",          CLEAN,    true",
    ",          ACTIVATE, false",
    ",          DRAIN,    false"
  })
  void nodesThatPointsmanServesAreNamedAndNotCounted(
      @Nullable KubeProxyState kubeProxy, Step step, boolean served) {
    String name = ("node-" + kubeProxy + "-" + step).toLowerCase(Locale.ROOT);
    client
        .resource(new NodeBuilder().withNewMetadata().withName(name).endMetadata().build())
        .create();
    NodeDataplane node = new NodeDataplane();
    node.getMetadata().setName(name);
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    spec.proxyDataplane = "default";
    spec.linuxDataplane = LinuxDataplane.BPF;
    spec.kubeProxy = kubeProxy;
    spec.step = step;
    node.setSpec(spec);
    client.resource(node).create();

    VerifyReport report =
        new ClusterLook(client, LookSettingsTest.settings(0, 1)).at(List.of(name));
    assertThat(report.exitCode()).isEqualTo(served ? 0 : Failures.NOT_LOOKED_AT);
    StringWriter text = new StringWriter();
    report.printTable(new PrintWriter(text));
    assertThat(text.toString())
        .contains(
            served
                ? "served by Pointsman: BPF serves in kube-proxy's place."
                : "not looked at: it is not Ready");
  }
}
