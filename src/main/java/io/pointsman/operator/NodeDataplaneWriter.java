// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.api.NodeDataplane;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.NodeAction;
import java.net.HttpURLConnection;
import java.util.Objects;

/**
 * Carries out what was planned for a node, on the very version it was planned on: when somebody was
 * faster, nothing is written and the next plan sees it.
 */
final class NodeDataplaneWriter {
  /** A version that no object has: the API server then applies only what is not there yet. */
  private static final String ABSENT = "1";

  private final KubernetesClient client;

  NodeDataplaneWriter(KubernetesClient client) {
    this.client = client;
  }

  /** Whether it was carried out; false when the plan was out of date. */
  boolean execute(NodeAction action) {
    try {
      switch (action) {
        case NodeAction.Write write -> apply(write);
        case NodeAction.Forget forget -> delete(forget);
      }
      return true;
    } catch (KubernetesClientException e) {
      boolean outdated =
          e.getCode() == HttpURLConnection.HTTP_CONFLICT
              || e.getCode() == HttpURLConnection.HTTP_NOT_FOUND;
      if (outdated) {
        return false;
      }
      throw e;
    }
  }

  private void apply(NodeAction.Write write) {
    NodeDataplane fresh = new NodeDataplane();
    fresh.setMetadata(
        new ObjectMetaBuilder()
            .withName(write.node())
            .withResourceVersion(Objects.requireNonNullElse(write.resourceVersion(), ABSENT))
            .withAnnotations(write.annotations())
            .addNewOwnerReference()
            .withApiVersion("v1")
            .withKind("Node")
            .withName(write.node())
            .withUid(write.ownerUid())
            .endOwnerReference()
            .build());
    fresh.setSpec(write.spec());
    client
        .resource(fresh)
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(Names.FIELD_MANAGER)
                .withForce(true)
                .build());
  }

  private void delete(NodeAction.Forget forget) {
    NodeDataplane gone = new NodeDataplane();
    gone.setMetadata(new ObjectMetaBuilder().withName(forget.node()).build());
    client.resource(gone).lockResourceVersion(forget.resourceVersion()).delete();
  }
}
