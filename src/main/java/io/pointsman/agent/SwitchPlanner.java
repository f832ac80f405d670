// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.FlowCounts;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.SwitchPlan;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyFlows;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyPlaces;
import io.pointsman.kernel.CommandRunner;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Counts what a switch of this node would do, by reading the kernel as it is; changes nothing. What
 * the kernel does not tell is left out of the answer and logged: Preflight says why.
 */
public final class SwitchPlanner {
  private static final Logger LOG = Logger.getLogger(SwitchPlanner.class);

  private final KubeProxySource kubeProxy;
  private final KubeProxyCleaner cleaner;

  /** Looks for kube-proxy where these commands run. */
  public SwitchPlanner(CommandRunner commands) {
    this.kubeProxy = KubeProxyPlaces.of(commands);
    this.cleaner = new KubeProxyCleaner(commands);
  }

  /** What is counted before it is put into words; null what the kernel did not tell. */
  private static final class Counts {
    private @Nullable PlannedWrites writes;
    private @Nullable List<KubeProxyState> states;
    private @Nullable KubeProxyFlows flows;
    private @Nullable Long left;
    private final Map<LinuxDataplane, Optional<Holdings>> others =
        new EnumMap<>(LinuxDataplane.class);
    private final Set<LinuxDataplane> hidden = EnumSet.noneOf(LinuxDataplane.class);
    private boolean complete = true;
  }

  /**
   * Counts.
   *
   * @param others every other dataplane of Pointsman that may be in this kernel
   * @param rules what kube-proxy has, where somebody has just read it; null to read it now
   */
  public SwitchPlan plan(
      SwitchQuestion question,
      Dataplane target,
      Map<LinuxDataplane, Dataplane> others,
      @Nullable List<KubeProxyState> rules) {
    Counts counts = new Counts();
    LinuxDataplane serving = null;
    for (Map.Entry<LinuxDataplane, Dataplane> other : others.entrySet()) {
      Phase phase = attempt(counts, other.getValue()::phase);
      if (phase == null) {
        counts.hidden.add(other.getKey());
      } else if (phase != Phase.ABSENT) {
        serving = phase == Phase.ACTIVE ? other.getKey() : serving;
        Holdings held = attempt(counts, other.getValue()::holdings);
        counts.others.put(other.getKey(), Optional.ofNullable(held));
      }
    }
    counts.writes = attempt(counts, () -> target.plan(question.desired()));
    List<KubeProxyState> states = rules != null ? rules : attempt(counts, kubeProxy::read);
    counts.states = states;
    counts.flows = states == null ? null : attempt(counts, () -> KubeProxyFlows.count(states));
    // The chains of these have kube-proxy's names, and are counted as theirs.
    boolean shared = counts.others.keySet().stream().anyMatch(Handover::sharesChains);
    counts.left = shared ? Long.valueOf(0) : attempt(counts, () -> left(question.to(), states));
    return told(question, counts, serving);
  }

  /**
   * What kube-proxy's would be removed; its virtual servers stay for a dataplane that uses them.
   */
  private long left(LinuxDataplane to, @Nullable List<KubeProxyState> states) {
    long entries = cleaner.entries(to);
    if (states != null && to != LinuxDataplane.IPVS) {
      for (KubeProxyState state : states) {
        entries +=
            state.mode() == KubeProxyMode.IPVS ? state.frontendCount() + state.backendCount() : 0;
      }
    }
    return entries;
  }

  private static SwitchPlan told(
      SwitchQuestion question, Counts counts, @Nullable LinuxDataplane serving) {
    SwitchPlan plan = new SwitchPlan();
    PlannedWrites writes = counts.writes;
    Long left = counts.left;
    if (writes != null) {
      plan.entriesToWrite = writes.written();
      plan.memoryBytes = writes.memoryBytes();
    }
    if (writes != null && left != null && counts.complete) {
      long held =
          counts.others.values().stream()
              .flatMap(Optional::stream)
              .mapToLong(Holdings::entries)
              .sum();
      plan.entriesToRemove = writes.deleted() + left + held;
    }
    plan.flowsAtRisk = flows(counts);
    plan.steps =
        new SwitchSteps(question, from(counts, serving))
            .words(writes, left == null ? -1 : left, counts.others);
    return plan;
  }

  private static FlowCounts flows(Counts counts) {
    FlowCounts flows = new FlowCounts();
    KubeProxyFlows ofKubeProxy = counts.flows;
    if (ofKubeProxy != null) {
      flows.conntrack = sum(ofKubeProxy.conntrack(), held(counts, LinuxDataplane.IPTABLES));
      flows.ipvs = sum(ofKubeProxy.ipvs(), held(counts, LinuxDataplane.IPVS));
    }
    flows.ct = held(counts, LinuxDataplane.BPF);
    return flows;
  }

  private static @Nullable Long sum(long one, @Nullable Long other) {
    return other == null ? null : Long.valueOf(one + other);
  }

  /** Flows that need a dataplane; null when the kernel did not tell whether there are any. */
  private static @Nullable Long held(Counts counts, LinuxDataplane kind) {
    Optional<Holdings> held = counts.others.get(kind);
    if (held == null) {
      return counts.hidden.contains(kind) ? null : Long.valueOf(0);
    }
    return held.map(Holdings::flows).orElse(null);
  }

  /** What serves now, in words. */
  private static String from(Counts counts, @Nullable LinuxDataplane serving) {
    if (serving != null) {
      return SwitchSteps.name(serving);
    }
    List<String> modes = new ArrayList<>();
    for (KubeProxyState state :
        Objects.requireNonNullElse(counts.states, List.<KubeProxyState>of())) {
      modes.add(state.mode().text());
    }
    return modes.isEmpty() ? "kube-proxy" : "kube-proxy (" + String.join(", ", modes) + ")";
  }

  private static <T> @Nullable T attempt(Counts counts, Supplier<T> look) {
    try {
      return look.get();
    } catch (RuntimeException e) {
      counts.complete = false;
      LOG.warnf("Not counted: %s", e.getMessage());
      return null;
    }
  }
}
