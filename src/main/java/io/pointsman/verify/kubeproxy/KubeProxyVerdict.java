// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * How a kube-proxy serves all Services on one node.
 *
 * @param mode the mode it runs in; empty when the kernel holds no rules of a kube-proxy
 * @param services every Service port, sorted by name
 * @param others differences that belong to no Service there is
 */
public record KubeProxyVerdict(
    Optional<KubeProxyMode> mode, List<ServiceVerdict> services, List<Difference> others) {
  /** Takes copies. */
  public KubeProxyVerdict {
    services = List.copyOf(services);
    others = List.copyOf(others);
  }

  /** Whether the rules are exactly what the Services ask for. */
  public boolean served() {
    return others.isEmpty() && services.stream().allMatch(ServiceVerdict::served);
  }

  /** Differences for which a Service is not served as it should be, those of Services first. */
  public Set<Difference> failures() {
    Set<Difference> all = new LinkedHashSet<>();
    services.forEach(service -> all.addAll(service.differences()));
    for (Difference each : others) {
      switch (each.kind()) {
        case MISSING, BROKEN -> all.add(each);
        case STALE, FOREIGN -> {}
      }
    }
    return all;
  }

  /** All differences, those of Services first. */
  public Set<Difference> differences() {
    Set<Difference> all = new LinkedHashSet<>();
    services.forEach(service -> all.addAll(service.differences()));
    all.addAll(others);
    return all;
  }

  /** The same verdict with those differences only that are wanted. */
  public KubeProxyVerdict keeping(Predicate<Difference> wanted) {
    return new KubeProxyVerdict(
        mode,
        services.stream()
            .map(
                each ->
                    new ServiceVerdict(
                        each.id(),
                        each.differences().stream().filter(wanted).toList(),
                        each.notCompared()))
            .toList(),
        others.stream().filter(wanted).toList());
  }
}
