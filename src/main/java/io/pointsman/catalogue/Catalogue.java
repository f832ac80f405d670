// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's Services as frontends and backends. Each event yields what it changed and costs as
 * much as the Service it is about; the same objects give the same catalogue in whatever order they
 * came. Owned by one thread.
 */
public final class Catalogue {
  private final Map<ObjectKey, ServiceEntry> entries = new HashMap<>();
  private final Map<ObjectKey, ServiceEntry> ownerOfSlice = new HashMap<>();
  private final TreeMap<ObjectKey, List<Problem>> problems = new TreeMap<>();
  private int notServed;
  private final ClaimIndex claims = new ClaimIndex();
  private final PortBuilder builder;
  private final String nodeName;
  private Digest digest = Digest.EMPTY;
  private int portCount;

  private Catalogue(String nodeName) {
    this.nodeName = nodeName;
    builder = new PortBuilder(nodeName, claims);
  }

  /** A catalogue whose backends know whether they run on this node. */
  public static Catalogue forNode(String nodeName) {
    return new Catalogue(nodeName);
  }

  /** A catalogue without a node's view; its digest equals that of every node. */
  public static Catalogue clusterWide() {
    return new Catalogue("");
  }

  /** The node whose view this is; empty for none's. */
  public String nodeName() {
    return nodeName;
  }

  /** A Service was added or changed. */
  public CatalogueDelta upsertService(ServiceInput input) {
    return setService(input.key(), input.proxied() ? input : null);
  }

  /** A Service is gone. */
  public CatalogueDelta removeService(ObjectKey key) {
    return setService(key, null);
  }

  /** A slice was added or changed; it may have moved to another Service. */
  public CatalogueDelta upsertSlice(SliceInput slice) {
    ServiceEntry owner = entry(slice.service());
    ServiceEntry before = ownerOfSlice.put(slice.key(), owner);
    Set<ObjectKey> touched = new LinkedHashSet<>();
    if (before != null) {
      SliceInput old = before.slice(slice.key());
      if (before == owner && slice.equals(old)) {
        return CatalogueDelta.NONE;
      }
      before.slices.remove(old);
      touched.add(before.key);
    }
    owner.slices.add(slice);
    touched.add(owner.key);
    return rebuild(touched);
  }

  /** A slice is gone. */
  public CatalogueDelta removeSlice(ObjectKey key) {
    ServiceEntry owner = ownerOfSlice.remove(key);
    if (owner == null) {
      return CatalogueDelta.NONE;
    }
    owner.slices.remove(owner.slice(key));
    return rebuild(Set.of(owner.key));
  }

  /** The Services that were not among these are gone: the answer to a new list. */
  public List<CatalogueDelta> retainServices(Set<ObjectKey> all) {
    List<ObjectKey> gone =
        entries.values().stream()
            .filter(entry -> entry.service != null && !all.contains(entry.key))
            .map(entry -> entry.key)
            .toList();
    return gone.stream().map(this::removeService).toList();
  }

  /** The slices that were not among these are gone: the answer to a new list. */
  public List<CatalogueDelta> retainSlices(Set<ObjectKey> all) {
    List<ObjectKey> gone =
        ownerOfSlice.keySet().stream().filter(key -> !all.contains(key)).toList();
    return gone.stream().map(this::removeSlice).toList();
  }

  /** Identifies all frontends and backends; the same on every node that has seen the same. */
  public Digest digest() {
    return digest;
  }

  /** How many Service ports there are. */
  public int portCount() {
    return portCount;
  }

  /** Hands out every Service port, in no order. */
  public void forEachPort(Consumer<ServicePort> consumer) {
    entries.values().forEach(entry -> entry.ports.forEach(consumer));
  }

  /** The ports of one Service; empty when it is not there or not proxied. */
  public List<ServicePort> ports(ObjectKey service) {
    ServiceEntry entry = entries.get(service);
    return entry == null ? List.of() : entry.ports;
  }

  /** Hands out every Service that is proxied with its slices, in no order. */
  public void forEachService(BiConsumer<ServiceInput, List<SliceInput>> consumer) {
    entries
        .values()
        .forEach(
            entry -> {
              if (entry.service != null) {
                consumer.accept(entry.service, List.copyOf(entry.slices));
              }
            });
  }

  /** The nodes that endpoints of a Service run on. */
  public Set<String> nodesOf(ObjectKey service) {
    ServiceEntry entry = entries.get(service);
    Set<String> nodes = new TreeSet<>();
    if (entry != null) {
      entry.slices.forEach(slice -> slice.endpoints().forEach(e -> nodes.add(e.node())));
    }
    nodes.remove("");
    return nodes;
  }

  /** What cannot be served, or not in full, in a stable order. */
  public List<Problem> problems() {
    return problems.values().stream().flatMap(Collection::stream).toList();
  }

  /** How many problems leave something out. */
  public int notServed() {
    return notServed;
  }

  /** The first problems of one effect, in a stable order. */
  public List<Problem> problems(Problem.Effect effect, int limit) {
    return problems.values().stream()
        .flatMap(Collection::stream)
        .filter(problem -> problem.effect() == effect)
        .limit(limit)
        .toList();
  }

  private CatalogueDelta setService(ObjectKey key, @Nullable ServiceInput input) {
    ServiceEntry entry = input == null ? entries.get(key) : entry(key);
    if (entry == null || Objects.equals(entry.service, input)) {
      return CatalogueDelta.NONE;
    }
    Set<ObjectKey> touched = new LinkedHashSet<>();
    touched.add(key);
    claims.replace(claimsOf(entry.service), claimsOf(input), touched);
    entry.service = input;
    return rebuild(touched);
  }

  private static Map<Claim.Place, Claim> claimsOf(@Nullable ServiceInput input) {
    return input == null ? Map.of() : Claim.of(input);
  }

  private ServiceEntry entry(ObjectKey key) {
    return entries.computeIfAbsent(key, ServiceEntry::new);
  }

  private CatalogueDelta rebuild(Set<ObjectKey> touched) {
    List<ServicePort> upserted = new ArrayList<>();
    List<ServicePortId> removed = new ArrayList<>();
    for (ObjectKey key : touched) {
      ServiceEntry entry = entries.get(key);
      if (entry != null) {
        rebuild(entry, upserted, removed);
      }
    }
    return upserted.isEmpty() && removed.isEmpty()
        ? CatalogueDelta.NONE
        : new CatalogueDelta(upserted, removed);
  }

  private void rebuild(
      ServiceEntry entry, List<ServicePort> upserted, List<ServicePortId> removed) {
    PortBuilder.Built built = builder.build(entry);
    Map<ServicePort, ServicePort> before = new HashMap<>();
    entry.ports.forEach(port -> before.put(port, port));
    List<ServicePort> ports = new ArrayList<>(built.ports().size());
    Set<ServicePortId> kept = new HashSet<>();
    for (ServicePort port : built.ports()) {
      kept.add(port.id());
      // The instance that is known already stays, so that whoever else holds it shares it.
      ServicePort same = before.remove(port);
      ports.add(same == null ? port : same);
      if (same == null) {
        upserted.add(port);
        digest = digest.plus(Digest.of(port));
      }
    }
    for (ServicePort port : before.keySet()) {
      digest = digest.minus(Digest.of(port));
      if (!kept.contains(port.id())) {
        removed.add(port.id());
      }
    }
    store(entry, ports, built.problems());
  }

  private void store(ServiceEntry entry, List<ServicePort> ports, List<Problem> found) {
    portCount += ports.size() - entry.ports.size();
    entry.ports = List.copyOf(ports);
    List<Problem> before =
        found.isEmpty() ? problems.remove(entry.key) : problems.put(entry.key, found);
    notServed += notServed(found) - (before == null ? 0 : notServed(before));
    if (entry.isUnused()) {
      entries.remove(entry.key);
    }
  }

  private static int notServed(List<Problem> problems) {
    int count = 0;
    for (Problem problem : problems) {
      count += problem.effect() == Problem.Effect.NOT_SERVED ? 1 : 0;
    }
    return count;
  }
}
