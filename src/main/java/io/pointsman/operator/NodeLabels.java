// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.operator.plan.ClusterView;
import io.pointsman.operator.plan.Handover;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.NodeView;
import java.net.HttpURLConnection;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Puts kube-proxy's label on nodes and takes it off; touches no other label. */
final class NodeLabels {
  private final KubernetesClient client;

  NodeLabels(KubernetesClient client) {
    this.client = client;
  }

  /** Writes the labels that differ; a node that is gone meanwhile needs none. */
  void write(Map<String, Boolean> labels) {
    labels.forEach(this::write);
  }

  /** Whether every node that kube-proxy shall run on carries the label, by a fresh list. */
  boolean complete(ClusterView view) {
    Map<String, NodeView> fresh =
        client.nodes().list().getItems().stream()
            .map(Reductions::view)
            .collect(Collectors.toMap(NodeView::name, Function.identity()));
    Map<String, Boolean> missing = Handover.labels(view.withNodes(fresh), true);
    missing.values().removeIf(on -> !on);
    write(missing);
    return missing.isEmpty();
  }

  private void write(String node, boolean on) {
    String value = on ? "\"" + Names.KUBE_PROXY_ON + "\"" : "null";
    try {
      client
          .nodes()
          .withName(node)
          .patch(
              new PatchContext.Builder()
                  .withPatchType(PatchType.JSON_MERGE)
                  .withFieldManager(Names.FIELD_MANAGER)
                  .build(),
              "{\"metadata\":{\"labels\":{\"" + Names.KUBE_PROXY_LABEL + "\":" + value + "}}}");
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
    }
  }
}
