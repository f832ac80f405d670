// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.DsrMode;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Provider;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.Scheduler;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a ProxyDataplane is acted on. The API server refuses most of this already by CEL;
 * this stands behind it for clusters whose CRD is older than the operator.
 */
public final class Acceptance {
  private static final String BUILT = "Set spec.linuxDataplane to Iptables, IPVS or BPF.";

  private static final Set<Scheduler> TWO = EnumSet.of(Scheduler.RANDOM, Scheduler.RR);

  /** Older first; of two of the same second the one that sorts first by name. */
  static final Comparator<ProxyDataplane> BY_AGE =
      Comparator.comparing(
              (ProxyDataplane dataplane) -> text(dataplane.getMetadata().getCreationTimestamp()))
          .thenComparing(dataplane -> dataplane.getMetadata().getName());

  private Acceptance() {}

  /** Why the resource is refused among all of the cluster, or empty when it is accepted. */
  public static Optional<Refusal> refusal(ProxyDataplane dataplane, List<ProxyDataplane> all) {
    List<ProxyDataplane> accepted = new ArrayList<>();
    for (ProxyDataplane candidate : all.stream().sorted(BY_AGE).toList()) {
      Optional<Refusal> refusal =
          unbuilt(candidate.getSpec()).or(() -> overlap(candidate, accepted));
      if (name(candidate).equals(name(dataplane))) {
        return refusal;
      }
      if (refusal.isEmpty()) {
        accepted.add(candidate);
      }
    }
    return unbuilt(dataplane.getSpec());
  }

  /** The accepted resources, oldest first. */
  static List<ProxyDataplane> accepted(List<ProxyDataplane> all) {
    return all.stream()
        .sorted(BY_AGE)
        .filter(dataplane -> refusal(dataplane, all).isEmpty())
        .toList();
  }

  private static Optional<Refusal> unbuilt(ProxyDataplaneSpec spec) {
    if (spec.linuxDataplane == null) {
      return refuse("linuxDataplane is missing", BUILT);
    }
    Set<Scheduler> schedulers = schedulers(spec.linuxDataplane);
    if (schedulers.isEmpty()) {
      return refuse("linuxDataplane " + Words.of(spec.linuxDataplane) + " is not built yet", BUILT);
    }
    if (spec.provider != Provider.NATIVE) {
      return refuse("provider Calico is not built yet", "Set spec.provider to Native.");
    }
    if (spec.dsr.mode != DsrMode.DISABLED) {
      return refuse("direct server return is not built yet", "Set spec.dsr.mode to Disabled.");
    }
    if (!schedulers.contains(spec.scheduler)) {
      return refuse(
          Words.of(spec.linuxDataplane) + " has no scheduler " + Words.of(spec.scheduler),
          "Set spec.scheduler to one of "
              + schedulers.stream().map(Words::of).collect(Collectors.joining(", "))
              + ".");
    }
    return Optional.empty();
  }

  /** What a dataplane can balance by; nothing while it is not built. */
  static Set<Scheduler> schedulers(LinuxDataplane dataplane) {
    return switch (dataplane) {
      case IPTABLES, BPF -> TWO;
      case IPVS -> EnumSet.complementOf(EnumSet.of(Scheduler.RANDOM));
      case NFTABLES -> EnumSet.noneOf(Scheduler.class);
    };
  }

  private static Optional<Refusal> refuse(String what, String remedy) {
    return Optional.of(
        new Refusal("NotBuilt", "Not accepted, nothing changes: " + what + ". " + remedy));
  }

  private static Optional<Refusal> overlap(
      ProxyDataplane candidate, List<ProxyDataplane> accepted) {
    return accepted.stream()
        .filter(older -> !disjoint(older.getSpec().nodeSelector, candidate.getSpec().nodeSelector))
        .findFirst()
        .map(
            older ->
                new Refusal(
                    "Overlap",
                    "Not accepted, nothing changes: nodeSelector can select nodes that the older"
                        + " ProxyDataplane "
                        + name(older)
                        + " rules. Give both a common label key with different values."));
  }

  /** Two selectors can never meet only when they want different values of one key. */
  static boolean disjoint(Map<String, String> one, Map<String, String> other) {
    return one.entrySet().stream()
        .anyMatch(
            entry ->
                other.containsKey(entry.getKey())
                    && !entry.getValue().equals(other.get(entry.getKey())));
  }

  private static String name(ProxyDataplane dataplane) {
    return dataplane.getMetadata().getName();
  }

  private static String text(@Nullable String value) {
    return value == null ? "" : value;
  }
}
