// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What a kube-proxy on one node must serve: the choice of endpoints that its documentation
 * promises, with Local policies and topology hints. Where it depends on its version or on a label
 * that is not known, all choices that are allowed are named.
 */
public final class KubeProxyView {
  private final String node;
  private final Optional<String> zone;

  /**
   * The view of one node.
   *
   * @param zone the node's zone; empty when it is not known
   */
  public KubeProxyView(String node, Optional<String> zone) {
    this.node = node;
    this.zone = zone;
  }

  /** The ports of one Service. */
  public List<ExpectedPort> ports(ServiceInput input, List<SliceInput> slices) {
    List<ExpectedPort> ports = new ArrayList<>();
    for (ServiceInput.Port port : input.ports()) {
      Map<IpFamily, List<Frontend>> frontends = new EnumMap<>(IpFamily.class);
      Claim.forEachPlace(
          input,
          port,
          (place, kind) ->
              frontends
                  .computeIfAbsent(place.address().family(), family -> new ArrayList<>())
                  .add(new Frontend(place.address(), place.port(), place.protocol(), kind)));
      frontends.forEach((family, all) -> ports.add(port(input, port, family, all, slices)));
    }
    return ports;
  }

  /** Whether a Service can be expected at this address; of others nothing is said. */
  public static boolean expectsAt(Address address) {
    return address.isAny() || AddressRules.objection(address) == null;
  }

  private ExpectedPort port(
      ServiceInput input,
      ServiceInput.Port port,
      IpFamily family,
      List<Frontend> frontends,
      List<SliceInput> slices) {
    Map<Target, Seen> seen = seen(slices, port, family);
    List<Set<Target>> cluster = cluster(seen);
    Set<Target> local = local(seen);
    TrafficPolicy policy = input.policy();
    List<ExpectedPort.Place> places = new ArrayList<>(frontends.size());
    for (Frontend frontend : frontends) {
      boolean inside = frontend.kind() == FrontendKind.CLUSTER_IP;
      boolean localOnly = inside ? policy.internalLocal() : policy.externalLocal();
      places.add(new ExpectedPort.Place(frontend, cluster, local, localOnly));
    }
    ServicePortId id =
        new ServicePortId(
            input.key().namespace(), input.key().name(), port.name(), port.protocol(), family);
    return new ExpectedPort(id, policy, places, cluster.size() > 1);
  }

  private Map<Target, Seen> seen(List<SliceInput> slices, ServiceInput.Port port, IpFamily family) {
    Map<Target, Seen> seen = new HashMap<>();
    for (SliceInput slice : slices) {
      for (SliceInput.Port slicePort : slice.ports()) {
        if (slicePort.protocol() == port.protocol() && slicePort.name().equals(port.name())) {
          for (SliceInput.Endpoint endpoint : slice.endpoints()) {
            if (endpoint.address().family() == family) {
              seen.merge(
                  new Target(endpoint.address(), slicePort.port()),
                  new Seen(endpoint.ready(), endpoint.node().equals(node), endpoint.hints()),
                  Seen::or);
            }
          }
        }
      }
    }
    return seen;
  }

  /** The sets of which one is chosen for the Cluster policy. */
  private List<Set<Target>> cluster(Map<Target, Seen> seen) {
    Set<Target> ready = targets(seen, Seen::ready);
    if (ready.isEmpty()) {
      return List.of(targets(seen, each -> true));
    }
    List<Set<Target>> choices = new ArrayList<>();
    choices.add(ready);
    if (allHinted(seen, SliceInput.Hints::nodes)) {
      add(choices, targets(seen, each -> each.ready() && each.hints().nodes().contains(node)));
    }
    if (allHinted(seen, SliceInput.Hints::zones)) {
      for (String each : zones(seen)) {
        add(choices, targets(seen, it -> it.ready() && it.hints().zones().contains(each)));
      }
    }
    return choices;
  }

  private static void add(List<Set<Target>> choices, Set<Target> choice) {
    if (!choice.isEmpty() && !choices.contains(choice)) {
      choices.add(choice);
    }
  }

  private static boolean allHinted(
      Map<Target, Seen> seen, Function<SliceInput.Hints, Set<String>> which) {
    return seen.values().stream()
        .noneMatch(each -> each.ready() && which.apply(each.hints()).isEmpty());
  }

  private Set<String> zones(Map<Target, Seen> seen) {
    if (zone.isPresent()) {
      return Set.of(zone.get());
    }
    Set<String> zones = new TreeSet<>();
    seen.values().forEach(each -> zones.addAll(each.hints().zones()));
    return zones;
  }

  private static Set<Target> local(Map<Target, Seen> seen) {
    Set<Target> ready = targets(seen, each -> each.local() && each.ready());
    return ready.isEmpty() ? targets(seen, Seen::local) : ready;
  }

  private static Set<Target> targets(Map<Target, Seen> seen, Predicate<Seen> wanted) {
    Set<Target> targets = new HashSet<>();
    seen.forEach(
        (target, each) -> {
          if (wanted.test(each)) {
            targets.add(target);
          }
        });
    return targets;
  }

  /**
   * What the slices together say of a target; of two pods with one address the ready one counts.
   */
  private record Seen(boolean ready, boolean local, SliceInput.Hints hints) {
    Seen or(Seen other) {
      if (ready != other.ready) {
        return ready ? this : other;
      }
      return new Seen(ready, local || other.local, hints.or(other.hints));
    }
  }
}
