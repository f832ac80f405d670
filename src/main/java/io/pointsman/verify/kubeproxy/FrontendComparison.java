// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Target;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.verify.Place;
import io.pointsman.verify.kubeproxy.Difference.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Compares one frontend with what one Service port asks for there. */
final class FrontendComparison {
  private final KubeProxyMode mode;
  private final ExpectedPort port;
  private final ExpectedPort.Place wanted;
  private final Place place;
  private final List<Difference> differences = new ArrayList<>();

  FrontendComparison(
      KubeProxyMode mode, ExpectedPort port, ExpectedPort.Place wanted, Place place) {
    this.mode = mode;
    this.port = port;
    this.wanted = wanted;
    this.place = place;
  }

  List<Difference> differences(KubeProxyFrontend frontend) {
    compare(frontend.outside(), outside(), "");
    if (hasShortCut()) {
      compare(frontend.inside(), wanted.cluster(), " for clients on the node");
    }
    if (differences.isEmpty()) {
      checkRefusal(frontend);
    }
    if (differences.isEmpty()) {
      frontend.flaws().forEach(flaw -> add(Kind.BROKEN, "", flaw + "."));
    }
    return differences;
  }

  /** What clients elsewhere may reach. */
  private List<Set<Target>> outside() {
    if (!wanted.localOnly()) {
      return wanted.cluster();
    }
    if (mode == KubeProxyMode.IPVS && wanted.local().isEmpty() && isReachableFromOutside()) {
      return wanted.cluster(); // this mode cannot tell clients apart, and pods must get through
    }
    return List.of(wanted.local());
  }

  /** Only for such a port kube-proxy collects endpoints of other nodes under a Local policy. */
  private boolean isReachableFromOutside() {
    return port.places().stream()
        .anyMatch(each -> each.frontend().kind() != FrontendKind.CLUSTER_IP);
  }

  /** With a Local policy the node and its pods may use all endpoints from outside addresses. */
  private boolean hasShortCut() {
    return wanted.localOnly()
        && wanted.frontend().kind() != FrontendKind.CLUSTER_IP
        && mode != KubeProxyMode.IPVS;
  }

  private void checkRefusal(KubeProxyFrontend frontend) {
    boolean empty = frontend.outside().isEmpty();
    if (mode == KubeProxyMode.IPVS) {
      return; // a virtual server without real ones refuses by itself
    }
    if (empty && !frontend.refuses()) {
      add(Kind.MISSING, "", place + " has no endpoint and is not refused.");
    } else if (!empty && frontend.refuses()) {
      add(Kind.STALE, "", place + " has endpoints and is refused as well.");
    }
  }

  private void compare(List<BackendAddress> found, List<Set<Target>> choices, String whose) {
    List<Target> there = new ArrayList<>(found.size());
    found.forEach(each -> there.add(new Target(each.address(), each.port())));
    Set<Target> distinct = new HashSet<>(there);
    Set<Target> nearest = nearest(distinct, choices);
    Set<Target> missing = new TreeSet<>(nearest);
    missing.removeAll(distinct);
    for (Target target : missing) {
      add(Kind.MISSING, target.toString(), place + " lacks the endpoint " + target + whose + ".");
    }
    Set<Target> stale = new TreeSet<>(distinct);
    stale.removeAll(nearest);
    for (Target target : stale) {
      add(
          Kind.STALE,
          target.toString(),
          place + " has " + target + whose + ", which is no endpoint of it.");
    }
    if (missing.isEmpty() && stale.isEmpty() && there.size() > distinct.size()) {
      add(Kind.STALE, "", place + " has the same endpoint more than once" + whose + ".");
    }
  }

  private static Set<Target> nearest(Set<Target> found, List<Set<Target>> choices) {
    Set<Target> nearest = choices.getFirst();
    int least = Integer.MAX_VALUE;
    for (Set<Target> choice : choices) {
      Set<Target> common = new HashSet<>(choice);
      common.retainAll(found);
      int distance = choice.size() + found.size() - 2 * common.size();
      if (distance < least) {
        least = distance;
        nearest = choice;
      }
    }
    return nearest;
  }

  private void add(Kind kind, String backend, String sentence) {
    differences.add(new Difference(kind, port.id().text(), place.toString(), backend, sentence));
  }
}
