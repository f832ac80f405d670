// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import io.pointsman.cli.LookPod.LookException;
import io.pointsman.cli.VerifyReport.NodeReport;
import java.net.HttpURLConnection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Looks at the nodes of a cluster, some at a time, and leaves nothing behind. */
final class ClusterLook {
  private final KubernetesClient client;
  private final LookSettings settings;
  private final ServiceLists services;

  ClusterLook(KubernetesClient client, LookSettings settings) {
    this.client = client;
    this.settings = settings;
    this.services = new ServiceLists(client);
  }

  /** Looks at these nodes, or at all Linux nodes when none is named. */
  VerifyReport at(List<String> names) {
    Map<String, Node> nodes = new HashMap<>();
    client.nodes().list().getItems().forEach(it -> nodes.put(it.getMetadata().getName(), it));
    List<String> wanted = new ArrayList<>(names);
    if (names.isEmpty()) {
      nodes.values().stream().filter(ClusterLook::isLinux).forEach(it -> wanted.add(name(it)));
    }
    Map<String, String> served = servedByPointsman();
    try (LookRun run = new LookRun(client, settings)) {
      List<NodeReport> reports =
          run.at(
              wanted,
              name -> look(run, name, nodes.get(name), served.get(name)),
              NodeReport::notLookedAt);
      reports.sort(Comparator.comparing(NodeReport::node));
      return new VerifyReport(reports);
    }
  }

  private NodeReport look(LookRun run, String name, @Nullable Node node, @Nullable String dataplane)
      throws InterruptedException {
    if (node == null) {
      return NodeReport.notLookedAt(name, "the cluster has no such node");
    }
    if (!isLinux(node)) {
      return NodeReport.notLookedAt(name, "it is not a Linux node");
    }
    if (dataplane != null) {
      return NodeReport.servedByPointsman(name, dataplane);
    }
    if (!isReady(node)) {
      return NodeReport.notLookedAt(name, "it is not Ready");
    }
    try {
      return new NodeLook(services, settings, node)
          .until(run.start(LookJob.on(name, run.label(), settings))::read);
    } catch (LookException | KubernetesClientException e) {
      return NodeReport.notLookedAt(name, String.valueOf(e.getMessage()));
    }
  }

  /** The nodes that kube-proxy has left or never served, and what serves there. */
  private Map<String, String> servedByPointsman() {
    Map<String, String> served = new HashMap<>();
    try {
      for (NodeDataplane each : client.resources(NodeDataplane.class).list().getItems()) {
        if (isAlone(each.getSpec())) {
          served.put(each.getMetadata().getName(), String.valueOf(each.getSpec().linuxDataplane));
        }
      }
    } catch (KubernetesClientException e) {
      if (!isInstalled(e)) {
        return served;
      }
      throw e;
    }
    return served;
  }

  /** Of a kube-proxy that is Unmanaged nothing is known but that Clean takes away what is left. */
  private static boolean isAlone(NodeDataplaneSpec spec) {
    return spec.kubeProxy == KubeProxyState.DETACHED
        || spec.kubeProxy == null && spec.step == Step.CLEAN;
  }

  /** Whether there is Pointsman in the cluster, where its resources could not be listed. */
  private boolean isInstalled(KubernetesClientException failure) {
    return switch (failure.getCode()) {
      case HttpURLConnection.HTTP_NOT_FOUND -> false;
      // A right that is missing is told before a kind that is.
      case HttpURLConnection.HTTP_FORBIDDEN -> client.hasApiGroup(ProxyDataplane.GROUP, true);
      default -> true;
    };
  }

  private static String name(Node node) {
    return node.getMetadata().getName();
  }

  private static boolean isLinux(Node node) {
    Map<String, String> labels = node.getMetadata().getLabels();
    return labels == null || !"windows".equals(labels.get("kubernetes.io/os"));
  }

  private static boolean isReady(Node node) {
    return node.getStatus().getConditions().stream()
        .anyMatch(it -> it.getType().equals("Ready") && it.getStatus().equals("True"));
  }
}
