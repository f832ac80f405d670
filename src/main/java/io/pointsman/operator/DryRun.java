// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ServiceReference;
import io.pointsman.operator.plan.Acceptance;
import io.pointsman.operator.plan.ClusterView;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.KubeProxyView;
import io.pointsman.operator.plan.NodeView;
import io.pointsman.operator.plan.Question;
import io.pointsman.operator.plan.Refusal;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A dry run of a ProxyDataplane that need not be applied, planned from the cluster as it is by the
 * operator's own planner. Only reads.
 */
public final class DryRun {
  /** A resource that is not there yet would be younger than all that are. */
  private static final String LATER = "9999-12-31T23:59:59Z";

  private final ClusterView view;
  private final ProxyDataplane dataplane;

  /**
   * Reads the cluster.
   *
   * @param wanted takes the place of the resource of its name, if there is one
   * @param namespace the operator's; where it cannot be seen, what its nodes were asked for tells
   * @param otherwise where the operator is taken to be if they do not
   */
  public DryRun(
      KubernetesClient client,
      ProxyDataplane wanted,
      Optional<String> namespace,
      String otherwise) {
    this.dataplane = wanted;
    dataplane.getSpec().rollout.dryRun = true;
    List<ProxyDataplane> dataplanes = new ArrayList<>(listed(client, ProxyDataplane.class));
    if (!dataplanes.removeIf(other -> name(other).equals(name(wanted)))) {
      dataplane.getMetadata().setCreationTimestamp(LATER);
    }
    dataplanes.add(dataplane);
    Map<String, NodeDataplane> ruled = new HashMap<>();
    listed(client, NodeDataplane.class).forEach(each -> ruled.put(name(each), each));
    Map<String, NodeView> nodes = new HashMap<>();
    client
        .nodes()
        .list()
        .getItems()
        .forEach(node -> nodes.put(name(node), Reductions.view(Reductions.node(node))));
    ServiceReference probe = new ServiceReference();
    probe.namespace = namespace.or(() -> probedIn(ruled.values())).orElse(otherwise);
    probe.name = ClusterWatch.PROBE_SERVICE;
    this.view =
        new ClusterView(
            Instant.now(), dataplanes, nodes, ruled, kubeProxy(client), Set.of(), probe);
  }

  private static Optional<String> probedIn(Collection<NodeDataplane> ruled) {
    return ruled.stream()
        .map(each -> each.getSpec().probe)
        .filter(Objects::nonNull)
        .map(probe -> Objects.requireNonNull(probe).namespace)
        .filter(Objects::nonNull)
        .findFirst();
  }

  /** Why the operator would not act on the resource, in a sentence; empty when it would. */
  public Optional<String> refusal() {
    if (dataplane.isMarkedForDeletion()) {
      return Optional.of(
          "ProxyDataplane " + name(dataplane) + " is being deleted: wait until it is gone.");
    }
    return Acceptance.refusal(dataplane, view.dataplanes()).map(Refusal::message);
  }

  /**
   * The DaemonSet that the resource names as kube-proxy's, when it manages it and it is missing.
   */
  public Optional<String> missingDaemonSet() {
    DaemonSetRef ref = DaemonSetRef.of(dataplane.getSpec().kubeProxy);
    return switch (dataplane.getSpec().kubeProxy.management) {
      case UNMANAGED -> Optional.empty();
      case MANAGED ->
          view.kubeProxies().containsKey(ref) ? Optional.empty() : Optional.of(ref.toString());
    };
  }

  /** What would be asked of each node. */
  public List<Question> questions() {
    return Question.of(view, dataplane);
  }

  private Map<DaemonSetRef, KubeProxyView> kubeProxy(KubernetesClient client) {
    DaemonSetRef ref = DaemonSetRef.of(dataplane.getSpec().kubeProxy);
    DaemonSet found =
        client.apps().daemonSets().inNamespace(ref.namespace()).withName(ref.name()).get();
    return found == null ? Map.of() : Map.of(ref, Reductions.view(found, null, Map.of()));
  }

  /** All of a kind; none where Pointsman is not installed. */
  private static <T extends HasMetadata> List<T> listed(KubernetesClient client, Class<T> kind) {
    try {
      return client.resources(kind).list().getItems();
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private static String name(HasMetadata resource) {
    return resource.getMetadata().getName();
  }
}
