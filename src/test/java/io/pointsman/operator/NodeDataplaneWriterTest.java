// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import io.pointsman.operator.plan.NodeAction;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What was planned on an older version than the one there is, is not carried out. */
@OnSharedApiServer
class NodeDataplaneWriterTest {
  private static final String NODE = "writer-1";

  private KubernetesClient client;
  private NodeDataplaneWriter writer;

  @BeforeEach
  void open() {
    client = ApiServer.shared().client();
    writer = new NodeDataplaneWriter(client);
    assertThat(writer.execute(write(null, Step.PREFLIGHT))).isTrue();
  }

  @AfterEach
  void close() {
    client.resources(NodeDataplane.class).withName(NODE).delete();
    client.close();
  }

  @Test
  void aNodeThatHasChangedSinceIsNotForgotten() {
    String planned = there().getMetadata().getResourceVersion();
    assertThat(writer.execute(write(planned, Step.PREPARE))).isTrue();

    assertThat(writer.execute(new NodeAction.Forget(NODE, planned, List.of()))).isFalse();
    String present = there().getMetadata().getResourceVersion();
    assertThat(writer.execute(new NodeAction.Forget(NODE, present, List.of()))).isTrue();
    assertThat(client.resources(NodeDataplane.class).withName(NODE).get()).isNull();
    assertThat(writer.execute(new NodeAction.Forget(NODE, present, List.of()))).isTrue();
  }

  @Test
  void aNodeThatHasChangedSinceIsNotWritten() {
    String planned = there().getMetadata().getResourceVersion();
    assertThat(writer.execute(write(planned, Step.PREPARE))).isTrue();

    assertThat(writer.execute(write(planned, Step.CLEAN))).isFalse();
    assertThat(writer.execute(write(null, Step.CLEAN))).as("it is there").isFalse();
    assertThat(there().getSpec().step).isEqualTo(Step.PREPARE);
  }

  private NodeDataplane there() {
    return client.resources(NodeDataplane.class).withName(NODE).require();
  }

  private static NodeAction write(@Nullable String version, Step step) {
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    spec.proxyDataplane = "default";
    spec.linuxDataplane = LinuxDataplane.BPF;
    spec.step = step;
    return new NodeAction.Write(NODE, "uid-" + NODE, version, spec, Map.of(), List.of());
  }
}
