// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Objects;
import io.pointsman.testing.ApiServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What cannot be served is named in status and metrics, and all else is served. */
class AgentRefusalTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String NAME = "refused";
  private static final String VIP = "10.96.78.1";
  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-refusal");
    var web = Objects.service(NAME, VIP);
    node.client.services().inNamespace("default").resource(web).create();
  }

  @AfterEach
  void end() {
    node.client.services().inNamespace("default").withName(NAME).delete();
    node.close();
  }

  @Test
  void aPortOfAnotherProtocolIsNamed() {
    node.startAgent(ApiServer.shared().client());
    node.ask(Step.CLEAN, KubeProxyState.DETACHED);
    node.awaitDone(Step.CLEAN);
    ServicePort sctp =
        new ServicePortBuilder().withName("s").withPort(99).withProtocol("SCTP").build();
    change(ports -> ports.add(sctp));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(node.answer().refused)
                    .singleElement()
                    .asString()
                    .contains("default/" + NAME, "SCTP"));
    assertThat(node.meters.get("pointsman.refused").gauge().value()).isEqualTo(1);
    var named =
        node.meters.get("pointsman.refused.object").tag("object", "Service default/" + NAME);
    assertThat(named.tag("reason", "ProtocolNotServed").gauge().value()).isEqualTo(1);
    assertThat(PinnedMaps.read(pins())).containsKey(VIP + ":80");
    assertThat(node.answer().proven).isTrue();

    change(ports -> ports.removeIf(port -> "s".equals(port.getName())));
    await().atMost(PATIENCE).until(() -> node.answer().refused.isEmpty());
    assertThat(node.meters.find("pointsman.refused.object").gauges()).isEmpty();
  }

  private void change(Consumer<List<ServicePort>> change) {
    node.client
        .services()
        .inNamespace("default")
        .withName(NAME)
        .edit(
            one -> {
              change.accept(one.getSpec().getPorts());
              return one;
            });
  }

  private Path pins() {
    return node.sandbox.bpffs().resolve("pointsman");
  }
}
