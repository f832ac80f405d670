// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.filter.OnUpdateFilter;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.TransformingItemStore;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ServiceReference;
import io.pointsman.operator.plan.ClusterView;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.Handover;
import io.pointsman.operator.plan.KubeProxyView;
import io.pointsman.operator.plan.NodeView;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the operator watches, apart from the Services. Each event wakes every
 * ProxyDataplane: there are few of them, and a plan is made from memory.
 */
final class ClusterWatch implements AutoCloseable {
  /** The chart's Service that live probes go through. */
  static final String PROBE_SERVICE = "pointsman-probe";

  private final EventSourceContext<ProxyDataplane> context;
  private final ServiceReference probe;
  private final DigestSource digests;
  private final SelectorKeeper selectors;
  private final InformerEventSource<Node, ProxyDataplane> nodes;
  private final InformerEventSource<NodeDataplane, ProxyDataplane> ruled;
  private final SimpleInboundEventSource<ProxyDataplane> wake =
      new SimpleInboundEventSource<>("kube-proxy");
  private final KubeProxyWatch kubeProxy;

  ClusterWatch(
      EventSourceContext<ProxyDataplane> context,
      String namespace,
      DigestSource digests,
      SelectorKeeper selectors) {
    this.context = context;
    this.digests = digests;
    this.selectors = selectors;
    this.probe = new ServiceReference();
    this.probe.namespace = namespace;
    this.probe.name = PROBE_SERVICE;
    this.nodes =
        source(
            "nodes",
            Node.class,
            Reductions::node,
            (now, before) -> !view(now).equals(view(before)));
    this.ruled = source("node-dataplanes", NodeDataplane.class, ClusterWatch::unmanaged, null);
    this.kubeProxy = new KubeProxyWatch(context.getClient(), this::wakeAll);
  }

  List<EventSource<?, ProxyDataplane>> sources() {
    return List.of(nodes, ruled, wake);
  }

  /** What is known now. */
  ClusterView view(Instant now) {
    List<ProxyDataplane> dataplanes = context.getPrimaryCache().list().toList();
    Map<String, NodeDataplane> byNode =
        ruled.list().collect(Collectors.toMap(ClusterWatch::name, Function.identity()));
    Map<String, NodeView> byName =
        nodes.list().map(Reductions::view).collect(Collectors.toMap(NodeView::name, it -> it));
    return new ClusterView(
        now,
        dataplanes,
        byName,
        byNode,
        kubeProxies(dataplanes, Handover.anyAway(byNode.values())),
        digests.recent(now),
        probe);
  }

  /** Looks at every ProxyDataplane again. */
  void wakeAll() {
    context.getPrimaryCache().list().map(ResourceID::fromResource).forEach(wake::propagateEvent);
  }

  @Override
  public void close() {
    kubeProxy.close();
  }

  private Map<DaemonSetRef, KubeProxyView> kubeProxies(
      List<ProxyDataplane> dataplanes, boolean anyAway) {
    Set<DaemonSetRef> named =
        dataplanes.stream()
            .map(dataplane -> DaemonSetRef.of(dataplane.getSpec().kubeProxy))
            .collect(Collectors.toSet());
    Map<DaemonSetRef, KubeProxyView> views = new HashMap<>(kubeProxy.views(named));
    if (anyAway) {
      views.replaceAll(
          (ref, view) -> view.selectorHeld() ? view : view.withRemover(selectors.remover(ref)));
    }
    return views;
  }

  private <R extends HasMetadata> InformerEventSource<R, ProxyDataplane> source(
      String name, Class<R> type, UnaryOperator<R> reduction, @Nullable OnUpdateFilter<R> filter) {
    var configuration =
        InformerEventSourceConfiguration.from(type, ProxyDataplane.class)
            .withName(name)
            .withWatchAllNamespaces()
            .withItemStore(new TransformingItemStore<>(reduction))
            .withPrimaryToSecondaryMapper((ProxyDataplane dataplane) -> Set.of())
            .withSecondaryToPrimaryMapper(resource -> everyone());
    if (filter != null) {
      configuration.withOnUpdateFilter(filter);
    }
    return new InformerEventSource<>(configuration.build(), context);
  }

  private Set<ResourceID> everyone() {
    return context
        .getPrimaryCache()
        .list()
        .map(ResourceID::fromResource)
        .collect(Collectors.toSet());
  }

  private static NodeDataplane unmanaged(NodeDataplane ruled) {
    ruled.getMetadata().setManagedFields(null);
    return ruled;
  }

  private static NodeView view(Node node) {
    return Reductions.view(node);
  }

  private static String name(HasMetadata resource) {
    return resource.getMetadata().getName();
  }
}
