// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A chain of kube-proxy's names as it was read: what it does, and a hash of its rules. */
final class SavedChain {
  final String name;
  final ChainHash hash = new ChainHash();

  /** Chains that it sends flows to: endpoints of a Service port, or the port of an outer chain. */
  final List<SavedChain> next = new ArrayList<>(1);

  /** Where an outer chain sends what comes from pods and the node itself, when that differs. */
  final List<SavedChain> shortCut = new ArrayList<>(0);

  /** Whether it was declared; else it is only jumped to. */
  boolean declared;

  /** Where an endpoint's chain sends flows. */
  @Nullable BackendAddress destination;

  /** What an endpoint's chain masquerades, and an outer chain: everything (empty). */
  @Nullable String masquerades;

  /** How its rules choose: random, nth, or empty when there is no choice. */
  String mode = "";

  /** Whether all endpoints get the same share. */
  boolean even = true;

  /** The first rule of a form that is not known here. */
  @Nullable String unknown;

  /** Whether its rules match IP sets, as those of kube-proxy's ipvs mode. */
  boolean matchesSets;

  /** Whether a rule stands behind those that must be last. */
  boolean misplaced;

  /** Whether a frontend leads here. */
  boolean reached;

  /** The rules that must be last. */
  final ChainHash doors = new ChainHash();

  private long lastShare;
  private final Set<String> targets = new HashSet<>(0);

  SavedChain(String name) {
    this.name = name;
  }

  /** A rule of a chain that is there once and does this. */
  void does(String target) {
    targets.add(target);
  }

  /** Whether one of its rules does this. */
  boolean has(String target) {
    return targets.contains(target);
  }

  /** A rule that sends one of as many flows to a chain. */
  void choose(SavedChain endpoint, long oneIn, String how) {
    even &= next.isEmpty() || oneIn == lastShare - 1;
    lastShare = oneIn;
    next.add(endpoint);
    if (!how.isEmpty()) {
      even &= mode.isEmpty() || mode.equals(how);
      mode = how;
    }
  }

  /** Whether nothing falls through, and every endpoint gets the same share. */
  boolean even() {
    return even && (next.isEmpty() || lastShare == 1);
  }

  /** A rule that must not be behind the last ones. */
  void place() {
    misplaced |= doors.rules() > 0;
  }

  /** What is wrong with a chain of a Service port or endpoint; null when nothing is. */
  @Nullable String flaw() {
    if (name.startsWith(ChainNames.ENDPOINT_PREFIX)) {
      BackendAddress backend = destination;
      if (backend == null) {
        return "sends flows nowhere";
      }
      return backend.address().toString().equals(masquerades)
          ? null
          : "does not masquerade what the endpoint sends to itself";
    }
    if (name.startsWith(ChainNames.EXTERNAL_PREFIX)) {
      // With a Local policy the client's address is kept.
      return masquerades == null && shortCut.isEmpty() ? "does not masquerade" : null;
    }
    boolean chooses = !name.startsWith(ChainNames.FIREWALL_PREFIX);
    return chooses && !even() ? "does not give every endpoint the same share" : null;
  }

  /** The chains that flows can pass behind this one, with this one, once each. */
  void collectChains(Set<SavedChain> found) {
    if (found.add(this)) {
      next.forEach(each -> each.collectChains(found));
      shortCut.forEach(each -> each.collectChains(found));
    }
  }

  /** The endpoints that the node and its pods can reach through this chain. */
  void collectInside(List<BackendAddress> found) {
    if (!shortCut.isEmpty()) {
      // The rules for pods and for the node lead to the same chain.
      shortCut.stream().distinct().forEach(each -> each.collect(found));
    } else if (destination != null) {
      collect(found);
    } else {
      next.forEach(each -> each.collectInside(found));
    }
  }

  /** The endpoints that flows can reach through this chain. */
  void collect(List<BackendAddress> found) {
    reached = true;
    BackendAddress here = destination;
    if (here != null) {
      found.add(here);
    }
    for (SavedChain each : next) {
      each.collect(found);
    }
  }
}
