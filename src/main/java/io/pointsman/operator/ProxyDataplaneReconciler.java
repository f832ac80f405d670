// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.operator.plan.ClusterView;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.Handover;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.NodeAction;
import io.pointsman.operator.plan.Notice;
import io.pointsman.operator.plan.Plan;
import io.pointsman.operator.plan.RolloutPlanner;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the cluster, plans, and does what was planned. Nothing is remembered between two looks
 * but what is in the cluster, so it may end anywhere and be started anew.
 */
@ControllerConfiguration(
    name = "proxydataplane",
    finalizerName = Names.FINALIZER,
    fieldManager = Names.FIELD_MANAGER)
final class ProxyDataplaneReconciler
    implements Reconciler<ProxyDataplane>, Cleaner<ProxyDataplane>, AutoCloseable {
  /** How soon to look again when a plan was out of date or something is about to be gone. */
  private static final Duration SOON = Duration.ofMillis(500);

  private final Clock clock;
  private final OperatorOptions options;
  private final DigestSource digests;
  private final NodeLabels labels;
  private final SelectorKeeper selectors;
  private final SelectorBackoff backoff;
  private final NodeDataplaneWriter nodes;
  private final StatusWriter statuses;
  private final EventTeller events;
  private final AgentDaemonSet agents;
  private final AtomicLong looks = new AtomicLong();
  private @Nullable ClusterWatch watch;
  private @Nullable ApiServers apiServers;

  ProxyDataplaneReconciler(
      KubernetesClient client, OperatorOptions options, DigestSource digests, Clock clock) {
    this.clock = clock;
    this.options = options;
    this.digests = digests;
    this.labels = new NodeLabels(client);
    this.selectors = new SelectorKeeper(client);
    this.backoff = new SelectorBackoff(options.timings().selectorBackoff());
    this.nodes = new NodeDataplaneWriter(client);
    this.statuses = new StatusWriter(client, options.version());
    this.events = new EventTeller(client, options.identity(), clock);
    this.agents = new AgentDaemonSet(options);
  }

  @Override
  public List<EventSource<?, ProxyDataplane>> prepareEventSources(
      EventSourceContext<ProxyDataplane> context) {
    ClusterWatch cluster = new ClusterWatch(context, options.namespace(), digests, selectors);
    ApiServers servers = new ApiServers(options.namespace(), context);
    watch = cluster;
    apiServers = servers;
    List<EventSource<?, ProxyDataplane>> sources = new ArrayList<>(cluster.sources());
    sources.add(servers.endpoints());
    sources.add(servers.initEventSource(context));
    sources.add(agents.initEventSource(context));
    return sources;
  }

  @Override
  public UpdateControl<ProxyDataplane> reconcile(
      ProxyDataplane dataplane, Context<ProxyDataplane> context) {
    ClusterView view = view();
    Handover handover = handOver(dataplane, view);
    keepAgents(handover, dataplane, context);
    Duration again = act(dataplane, view, RolloutPlanner.plan(view, dataplane));
    return UpdateControl.<ProxyDataplane>noUpdate().rescheduleAfter(again);
  }

  @Override
  public DeleteControl cleanup(ProxyDataplane dataplane, Context<ProxyDataplane> context) {
    ClusterView view = view();
    Handover handover = handOver(dataplane, view);
    keepAgents(handover, dataplane, context);
    Plan plan = RolloutPlanner.plan(view, dataplane);
    Duration again = act(dataplane, view, plan);
    if (!plan.walkedBack()) {
      return DeleteControl.noFinalizerRemoval().rescheduleAfter(again.toMillis());
    }
    if (handover.idle() && !(handover.done() && removed(context))) {
      return DeleteControl.noFinalizerRemoval().rescheduleAfter(SOON.toMillis());
    }
    events.tell(
        dataplane,
        List.of(Notice.normal("WalkedBack", "Every node is back on kube-proxy; nothing is left.")));
    return DeleteControl.defaultDelete();
  }

  /** How often a plan has been made and carried out. */
  long looks() {
    return looks.get();
  }

  /** Looks again soon, whether or not anything has happened. */
  void wake() {
    if (watch != null) {
      watch.wakeAll();
    }
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
  }

  private ClusterView view() {
    return Objects.requireNonNull(watch, "event sources are prepared first").view(clock.instant());
  }

  /** Also while a resource is being deleted: its nodes need their agents to get back. */
  private void keepAgents(
      Handover handover, ProxyDataplane dataplane, Context<ProxyDataplane> context) {
    if (handover.idle()) {
      return;
    }
    ApiServers servers = Objects.requireNonNull(apiServers);
    if (servers.known()) {
      servers.reconcile(dataplane, context);
    }
    agents.reconcile(dataplane, context);
  }

  /** Labels first; the selector only when a fresh list shows that no label is missing. */
  private Handover handOver(ProxyDataplane dataplane, ClusterView view) {
    Handover handover = Handover.plan(view);
    labels.write(handover.labels());
    for (DaemonSetRef ref : handover.hold()) {
      boolean stolen = Handover.anyAway(view.nodeDataplanes().values());
      if (labels.complete(view) && backoff.grant(ref, stolen, view.now())) {
        selectors.hold(ref);
        events.tell(dataplane, List.of(held(ref, stolen)));
      }
    }
    view.kubeProxies()
        .forEach(
            (ref, proxy) -> {
              if (proxy.selectorHeld()) {
                backoff.held(ref, view.now());
              }
            });
    for (DaemonSetRef ref : handover.release()) {
      selectors.release(ref);
      backoff.released(ref);
    }
    for (DaemonSetRef ref : handover.update()) {
      if (selectors.update(ref)) {
        events.tell(dataplane, List.of(updates(ref)));
      }
    }
    return handover;
  }

  private static Notice held(DaemonSetRef ref, boolean stolen) {
    return stolen
        ? Notice.warning(
            "SelectorRestored", "Put the nodeSelector back into DaemonSet " + ref + ".")
        : Notice.normal(
            "SelectorSet",
            "DaemonSet "
                + ref
                + " runs on nodes with the label "
                + Names.KUBE_PROXY_LABEL
                + " only.");
  }

  private static Notice updates(DaemonSetRef ref) {
    return Notice.normal(
        "KubeProxyUpdates",
        "DaemonSet "
            + ref
            + " was changed by somebody else: its pods are replaced by its own updateStrategy.");
  }

  /** Does what can be done for every node; what fails for one does not keep it from the others. */
  private Duration act(ProxyDataplane dataplane, ClusterView view, Plan plan) {
    boolean outdated = false;
    RuntimeException failure = null;
    for (NodeAction action : plan.actions()) {
      try {
        if (nodes.execute(action)) {
          events.tell(dataplane, action.notices());
        } else {
          outdated = true;
        }
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    Instant now = view.now();
    events.tell(dataplane, statuses.write(dataplane, plan.report(), digests.current(), now));
    if (failure != null) {
      throw failure;
    }
    looks.incrementAndGet();
    return outdated ? SOON : plan.recheck();
  }

  private boolean removed(Context<ProxyDataplane> context) {
    boolean agentsGone = agents.deleted(context);
    return Objects.requireNonNull(apiServers).deleted(context) && agentsGone;
  }
}
