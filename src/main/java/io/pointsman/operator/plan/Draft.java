// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The next state of one NodeDataplane while it is being put together. */
final class Draft {
  private static final List<String> KEPT =
      List.of(
          Names.FAILED_GENERATION,
          Names.FAILURE,
          Names.GENERATION,
          Names.SWITCHING_SINCE,
          Names.ASKED_AT,
          Names.CONVERGED_SINCE,
          Names.ORIGIN,
          Names.REPLACES,
          Names.ROLLBACK_FAILURE);

  /** Annotations hold up to 256 KiB; a sentence needs less. */
  private static final int LONGEST_FAILURE = 1024;

  private final ClusterView view;
  private final ProxyDataplane dataplane;
  private final NodeView node;
  private final @Nullable String resourceVersion;
  private final @Nullable NodeDataplaneSpec before;
  private NodeDataplaneSpec spec;
  private final Map<String, String> annotations = new LinkedHashMap<>();
  private final List<Notice> notices = new ArrayList<>();

  private Draft(
      ClusterView view,
      ProxyDataplane dataplane,
      NodeView node,
      @Nullable String resourceVersion,
      @Nullable NodeDataplaneSpec before) {
    this.view = view;
    this.dataplane = dataplane;
    this.node = node;
    this.resourceVersion = resourceVersion;
    this.before = before;
    this.spec = before == null ? new NodeDataplaneSpec() : Target.copy(before);
  }

  /** For a node that has none. */
  static Draft fresh(ClusterView view, ProxyDataplane dataplane, NodeView node) {
    Draft draft = new Draft(view, dataplane, node, null, null);
    return draft.restart();
  }

  /** From what is there. */
  static Draft of(NodeState state, NodeView node) {
    Draft draft =
        new Draft(
            state.view(),
            state.dataplane(),
            node,
            state.current().getMetadata().getResourceVersion(),
            state.spec());
    for (String key : KEPT) {
      String value = state.annotations().get(key);
      if (value != null) {
        draft.annotations.put(key, value);
      }
    }
    return draft;
  }

  /** From the first step, with kube-proxy where it is. */
  Draft restart() {
    boolean managed = dataplane.getSpec().kubeProxy.management == KubeProxyManagement.MANAGED;
    if (before != null) {
      retry();
    }
    annotations.remove(Names.REPLACES);
    return target()
        .forget()
        .forgetOrigin()
        .began()
        .step(Step.PREFLIGHT)
        .kubeProxy(managed ? KubeProxyState.ATTACHED : null);
  }

  Draft target() {
    Target.write(spec, dataplane, view.probe());
    return this;
  }

  /**
   * Turns to what the resource asks for now, from wherever the node is. Another dataplane begins
   * with its Preflight; the one that the walk began on is there and only has to be taken up again.
   */
  Draft turn(NodeState state) {
    LinuxDataplane wanted = dataplane.getSpec().linuxDataplane;
    if (state.settled()) {
      origin(Origin.of(state.spec()));
    }
    if (state.otherDataplane()) {
      boolean home = state.origin().filter(origin -> origin.dataplane() == wanted).isPresent();
      replaces(state.spec().linuxDataplane)
          .step(home && !state.settled() ? Step.PREPARE : Step.PREFLIGHT);
    }
    return target().forget().began();
  }

  /** Asks for what the walk began on, with its old settings. */
  Draft restore(Origin origin) {
    spec = origin.restore(spec);
    return this;
  }

  Draft origin(Origin origin) {
    annotations.put(Names.ORIGIN, origin.toString());
    return this;
  }

  /** The flows of this dataplane are still to end. */
  Draft replaces(@Nullable LinuxDataplane left) {
    if (left != null) {
      annotations.put(Names.REPLACES, Words.of(left));
    }
    return this;
  }

  /** The flows of kube-proxy's ip_vs are still to end. */
  Draft replacesKubeProxy() {
    annotations.put(Names.REPLACES, Names.KUBE_PROXY);
    return this;
  }

  /** The walk has ended, or leads to kube-proxy: nothing of the origin matters any more. */
  Draft forgetOrigin() {
    annotations.remove(Names.ORIGIN);
    return this;
  }

  /** Only a dry run asks. */
  Draft preview() {
    annotations.remove(Names.GENERATION);
    annotations.remove(Names.CONVERGED_SINCE);
    return atRest();
  }

  /** No walk has begun, or one that failed has ended where it began. */
  Draft atRest() {
    annotations.remove(Names.SWITCHING_SINCE);
    return this;
  }

  Draft step(Step step) {
    spec.step = step;
    return this;
  }

  Draft kubeProxy(@Nullable KubeProxyState state) {
    spec.kubeProxy = state;
    return this;
  }

  /** Asks the agent to try again. */
  Draft retry() {
    spec.attempt = spec.attempt + 1;
    annotations.put(Names.ASKED_AT, text(view.now()));
    return this;
  }

  /** A walk begins now, for the present generation. */
  Draft began() {
    annotations.put(Names.SWITCHING_SINCE, text(view.now()));
    annotations.put(Names.GENERATION, generation());
    annotations.remove(Names.CONVERGED_SINCE);
    return this;
  }

  /** Arrived, and proven. */
  Draft converged() {
    annotations.put(Names.CONVERGED_SINCE, text(view.now()));
    annotations.remove(Names.REPLACES);
    annotations.remove(Names.ROLLBACK_FAILURE);
    return this;
  }

  Draft failed(String failure) {
    annotations.put(Names.FAILED_GENERATION, generation());
    annotations.put(Names.FAILURE, shortened(failure));
    return this;
  }

  /** The rollback has failed too. */
  Draft stuck(String failure) {
    annotations.put(Names.ROLLBACK_FAILURE, shortened(failure));
    return this;
  }

  /** Takes back a failure. */
  Draft forget() {
    annotations.remove(Names.FAILED_GENERATION);
    annotations.remove(Names.FAILURE);
    annotations.remove(Names.ROLLBACK_FAILURE);
    return this;
  }

  Draft tell(Notice notice) {
    notices.add(notice);
    return this;
  }

  NodeAction.Write build() {
    if (before == null || !Target.same(before, spec)) {
      annotations.put(Names.ASKED_AT, text(view.now()));
    }
    return new NodeAction.Write(
        node.name(), node.uid(), resourceVersion, spec, annotations, notices);
  }

  private static String shortened(String failure) {
    return failure.substring(0, Math.min(failure.length(), LONGEST_FAILURE));
  }

  private String generation() {
    return Long.toString(dataplane.getMetadata().getGeneration());
  }

  private static String text(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
