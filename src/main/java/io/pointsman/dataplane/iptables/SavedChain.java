// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A chain of kube-proxy's names as it was read: what it does, and a hash of its rules. Nearly all
 * chains are endpoints', so what these do not have is only made where it is there.
 */
final class SavedChain {
  final String name;
  final ChainHash hash = new ChainHash();

  /** Whether it was declared; else it is only jumped to. */
  boolean declared;

  /** How its rules choose: random, nth, or empty when there is no choice. */
  String mode = "";

  /** The first rule of a form that is not known here. */
  @Nullable String unknown;

  /** Whether it has rules that only kube-proxy's ipvs mode and Pointsman's IPVS have. */
  boolean ofIpvs;

  /** Whether a rule stands behind those that must be last. */
  boolean misplaced;

  /** Whether a frontend leads here. */
  boolean reached;

  /** Whether it is one of those that there shall be. */
  boolean wanted;

  /** Chains that it sends flows to: endpoints of a Service port, or the port of an outer chain. */
  private List<SavedChain> next = List.of();

  /** Where an outer chain sends what comes from pods and the node itself, when that differs. */
  private List<SavedChain> shortCut = List.of();

  /** Where an endpoint's chain sends flows. */
  private @Nullable BackendAddress destination;

  /**
   * What an endpoint's chain masquerades, until it is known whether that is the endpoint; of a
   * Service port's chain the range outside which it does.
   */
  private @Nullable String source;

  /** Whether an outer chain masquerades, or an endpoint's what the endpoint sends to itself. */
  private boolean masquerades;

  /** Whether all endpoints get the same share. */
  private boolean even = true;

  private long lastShare;
  private @Nullable ChainHash doors;
  private Set<String> targets = Set.of();

  SavedChain(String name) {
    this.name = name;
  }

  /** A rule of a form that is not known. */
  void puzzle(String target, String text) {
    does(target);
    if (unknown == null) {
      unknown = text;
    }
  }

  /** A rule of a chain that is there once and does this. */
  void does(String target) {
    if (targets.isEmpty()) {
      targets = new HashSet<>();
    }
    targets.add(target);
  }

  /** Whether one of its rules does this. */
  boolean has(String target) {
    return targets.contains(target);
  }

  /** A rule that must be one of the last. */
  void addDoor(Rule rule) {
    if (doors == null) {
      doors = new ChainHash();
    }
    doors.add(rule);
  }

  /** The rules that must be last. */
  ChainHash doors() {
    return doors == null ? new ChainHash() : doors;
  }

  /** A rule that sends on what comes so far. */
  void lead(SavedChain target) {
    next = with(next, target);
  }

  /** Whether a rule sends flows to the chain of this name. */
  boolean leadsTo(String target) {
    return next.stream().anyMatch(it -> it.name.equals(target));
  }

  /** A rule of an outer chain that sends pods and the node itself another way. */
  void leadInside(SavedChain target) {
    shortCut = with(shortCut, target);
  }

  /** Whether pods and the node itself are sent another way. */
  boolean hasShortCut() {
    return !shortCut.isEmpty();
  }

  private static List<SavedChain> with(List<SavedChain> chains, SavedChain added) {
    List<SavedChain> all = chains.isEmpty() ? new ArrayList<>() : chains;
    all.add(added);
    return all;
  }

  /** A rule of an outer chain that masquerades everything. */
  void masquerade() {
    masquerades = true;
  }

  /** A rule of an endpoint's chain that masquerades what comes from an address. */
  void masquerade(String from) {
    source = from;
  }

  /** A rule of a Service port's chain that masquerades what does not come from a range. */
  void masqueradeFromOutside(String range) {
    source = source == null ? range : "";
  }

  /** Outside which one range a Service port's chain masquerades; null when it never does. */
  @Nullable String localRange() {
    return source;
  }

  /**
   * A rule of an endpoint's chain that sends flows there; no rule behind it sees any.
   *
   * @return whether it is the first one
   */
  boolean translate(BackendAddress to) {
    if (destination != null) {
      return false;
    }
    destination = to;
    masquerades = to.address().toString().equals(source);
    source = null;
    return true;
  }

  /** A rule that sends one of as many flows to a chain. */
  void choose(SavedChain endpoint, long oneIn, String how) {
    even &= next.isEmpty() || oneIn == lastShare - 1;
    lastShare = oneIn;
    lead(endpoint);
    if (mode.isEmpty()) {
      mode = how;
    }
    even &= how.isEmpty() || mode.equals(how);
  }

  /** Whether nothing falls through, and every endpoint gets the same share. */
  boolean even() {
    return even && (next.isEmpty() || lastShare == 1);
  }

  /** A rule that must not be behind the last ones. */
  void place() {
    misplaced |= doors != null;
  }

  /** What is wrong with a chain of a Service port or endpoint; null when nothing is. */
  @Nullable String flaw() {
    if (name.startsWith(ChainNames.ENDPOINT_PREFIX)) {
      if (destination == null) {
        return "sends flows nowhere";
      }
      return masquerades ? null : "does not masquerade what the endpoint sends to itself";
    }
    if (name.startsWith(ChainNames.EXTERNAL_PREFIX)) {
      // With a Local policy the client's address is kept.
      return masquerades || hasShortCut() ? null : "does not masquerade";
    }
    boolean chooses = !name.startsWith(ChainNames.FIREWALL_PREFIX);
    return chooses && !even() ? "does not give every endpoint the same share" : null;
  }

  /** What its rules jump to: chains, and targets of rules whose form is not known. */
  Stream<String> calls() {
    return Stream.concat(
        Stream.concat(next.stream(), shortCut.stream()).map(chain -> chain.name), targets.stream());
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
