// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.CatalogueDelta;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The dataplanes that are in this node's kernel: the one that the operator wants, and others that
 * serve until it does, or that flows still need.
 */
final class Kernel implements AutoCloseable {
  private final Map<LinuxDataplane, DataplaneSettings.Factory> factories;
  private final DataplaneSettings.Factory standInFactory;
  private final Catalogue catalogue;
  private final AgentMetrics metrics;
  private final Map<LinuxDataplane, DataplaneInstance> instances =
      new EnumMap<>(LinuxDataplane.class);
  private Set<Address> nodePortAddresses = Set.of();
  private Set<Address> originAddresses = Set.of();
  private WalkOrigin origin = WalkOrigin.NONE;
  private @Nullable DataplaneInstance target;
  private @Nullable DataplaneInstance standIn;
  private boolean looked;

  /**
   * Opens nothing yet.
   *
   * @param standIn opens what serves while kube-proxy starts (ADR 8)
   */
  Kernel(
      Map<LinuxDataplane, DataplaneSettings.Factory> factories,
      DataplaneSettings.Factory standIn,
      Catalogue catalogue,
      AgentMetrics metrics) {
    this.factories = new EnumMap<>(factories);
    this.standInFactory = standIn;
    this.catalogue = catalogue;
    this.metrics = metrics;
  }

  /** The dataplane that the operator wants; empty until it has said so. */
  Optional<DataplaneInstance> target() {
    return Optional.ofNullable(target);
  }

  /** What serves while kube-proxy starts; empty when it is not in the kernel. */
  Optional<DataplaneInstance> standIn() {
    return Optional.ofNullable(standIn);
  }

  boolean isStandIn(DataplaneInstance instance) {
    return instance == standIn;
  }

  /** Every dataplane that is open: the target, all that are in the kernel, and the stand-in. */
  List<DataplaneInstance> all() {
    return Stream.concat(instances.values().stream(), Stream.ofNullable(standIn)).toList();
  }

  /** Every dataplane in the kernel but the target. */
  List<DataplaneInstance> others() {
    return all().stream().filter(instance -> instance != target).toList();
  }

  /** The one to tell of: the target, or else the one that is in the kernel. */
  Optional<DataplaneInstance> told() {
    return target().or(() -> instances.values().stream().findFirst());
  }

  /** What the walk began on serves with its own settings until the target does. */
  void origin(WalkOrigin began) {
    origin = began;
  }

  /** Whether it began on another dataplane of Pointsman's. */
  boolean hasOrigin() {
    return origin.kind() != null;
  }

  /** Opens what the walk began on, which is not in the kernel; empty for kube-proxy. */
  Optional<DataplaneInstance> openOrigin() {
    LinuxDataplane kind = origin.kind();
    DataplaneSettings.Factory factory = kind == null ? null : factories.get(kind);
    return kind == null || factory == null
        ? Optional.empty()
        : Optional.of(open(kind, factory, origin.settings()));
  }

  /**
   * Looks once which dataplanes an earlier agent left in the kernel.
   *
   * @param spec what the operator wants; null when it has not said so
   */
  void look(@Nullable NodeDataplaneSpec spec) {
    if (looked) {
      return;
    }
    factories.forEach(
        (kind, factory) -> {
          if (!instances.containsKey(kind)) {
            open(kind, factory, origin.settings(kind));
          }
        });
    if (standIn == null) {
      standIn = opened(LinuxDataplane.IPTABLES, standInFactory, NodeSettings.ofStandIn(spec));
    }
    looked = true;
    forgetAbsent();
  }

  /** Opens the stand-in, so that it can be written. */
  DataplaneInstance openStandIn(NodeDataplaneSpec spec) {
    DataplaneSettings wanted = NodeSettings.ofStandIn(spec);
    DataplaneInstance there = standIn;
    if (there == null || !there.settings().equals(wanted)) {
      if (there != null) {
        there.close();
      }
      there = opened(LinuxDataplane.IPTABLES, standInFactory, wanted);
      standIn = there;
    }
    return there;
  }

  /**
   * Whether new flows are served by nothing but rules of kube-proxy's names, or by virtual servers,
   * which a kube-proxy of another mode deletes as it starts.
   */
  boolean servedUnderSharedNames() {
    List<DataplaneInstance> active =
        instances.values().stream().filter(one -> one.phase() == Phase.ACTIVE).toList();
    return !active.isEmpty() && active.stream().allMatch(one -> Handover.sharesChains(one.kind()));
  }

  /** Lets go of all that are not in the kernel, but for the target. */
  void forgetAbsent() {
    for (DataplaneInstance instance : others()) {
      if (instance.phase() == Phase.ABSENT) {
        if (isStandIn(instance)) {
          standIn = null;
        } else {
          instances.remove(instance.kind());
        }
        instance.close();
      }
    }
  }

  /**
   * Opens what the operator wants, anew when it wants other settings. There is no target when this
   * agent does not have that dataplane; what is in the kernel serves on.
   */
  void use(NodeDataplaneSpec spec) {
    LinuxDataplane kind = spec.linuxDataplane;
    DataplaneSettings.Factory factory = kind == null ? null : factories.get(kind);
    if (kind == null || factory == null) {
      target = null;
      return;
    }
    DataplaneSettings wanted = NodeSettings.of(spec);
    DataplaneInstance instance = instances.get(kind);
    if (instance == null || !instance.settings().equals(wanted)) {
      instance = open(kind, factory, wanted);
    }
    target = instance;
    if (standIn != null) {
      openStandIn(spec);
    }
    forgetAbsent();
  }

  /** The dataplanes that this agent has, for a sentence. */
  String names() {
    return factories.keySet().stream().map(Enum::name).collect(Collectors.joining(", "));
  }

  private DataplaneInstance open(
      LinuxDataplane kind, DataplaneSettings.Factory factory, DataplaneSettings settings) {
    DataplaneInstance opened = opened(kind, factory, settings);
    DataplaneInstance before = instances.put(kind, opened);
    if (before != null) {
      before.close();
    }
    return opened;
  }

  private DataplaneInstance opened(
      LinuxDataplane kind, DataplaneSettings.Factory factory, DataplaneSettings settings) {
    Dataplane dataplane = factory.open(settings);
    Programmer programmer = new Programmer();
    List<ServicePort> ports = new ArrayList<>(catalogue.portCount());
    catalogue.forEachPort(ports::add);
    programmer.note(new CatalogueDelta(ports, List.of()));
    programmer.nodePortAddresses(nodePortAddresses(kind), dataplane);
    return new DataplaneInstance(kind, settings, dataplane, programmer, new Prover(metrics));
  }

  /**
   * Takes every dataplane of ours out of the kernel but the one that stays, and reads that nothing
   * is left of any: also of one that nobody has opened, because its own mark went in a crash.
   *
   * @return what is left, in words
   */
  List<String> removeAllBut(@Nullable DataplaneInstance staying) {
    List<String> left = new ArrayList<>();
    List<DataplaneInstance> leaving =
        all().stream().filter(instance -> instance != staying).toList();
    leaving.forEach(DataplaneInstance::remove);
    leaving.forEach(instance -> left.addAll(instance.dataplane().leftovers()));
    factories.forEach(
        (kind, factory) -> {
          if (!instances.containsKey(kind)) {
            left.addAll(removeUnopened(factory));
          }
        });
    if (standIn == null) {
      left.addAll(removeUnopened(standInFactory));
    }
    forgetAbsent();
    return left;
  }

  private static List<String> removeUnopened(DataplaneSettings.Factory factory) {
    try (Dataplane dataplane = factory.open(DataplaneSettings.DEFAULTS)) {
      List<String> left = dataplane.leftovers();
      if (!left.isEmpty()) {
        dataplane.remove();
        left = dataplane.leftovers();
      }
      return left;
    }
  }

  /** Takes a change of the catalogue for every dataplane. */
  void note(CatalogueDelta delta) {
    all().forEach(instance -> instance.programmer().note(delta));
  }

  /**
   * The node's addresses may have changed, or which of them answer on node ports.
   *
   * @param spec what the operator wants; null when it has not said so
   * @param ofNode the node's addresses in the given ranges
   */
  void nodePortAddresses(
      @Nullable NodeDataplaneSpec spec, Function<List<String>, Set<Address>> ofNode) {
    nodePortAddresses = ofNode.apply(spec == null ? List.of() : spec.nodePort.addresses);
    originAddresses = hasOrigin() ? ofNode.apply(origin.nodePortAddresses()) : nodePortAddresses;
    all()
        .forEach(
            instance ->
                instance
                    .programmer()
                    .nodePortAddresses(nodePortAddresses(instance.kind()), instance.dataplane()));
  }

  private Set<Address> nodePortAddresses(LinuxDataplane kind) {
    return kind == origin.kind() ? originAddresses : nodePortAddresses;
  }

  /** The most that any dataplane does in the kernel. */
  Phase phase() {
    List<Phase> phases = all().stream().map(DataplaneInstance::phase).toList();
    for (Phase phase : List.of(Phase.ACTIVE, Phase.DRAINING, Phase.PREPARED)) {
      if (phases.contains(phase)) {
        return phase;
      }
    }
    return Phase.ABSENT;
  }

  /**
   * Whether another dataplane than the target takes new flows that the target could take. While the
   * agent leaves the target's rules alone, the stand-in serves in its place.
   */
  boolean othersServe(NodeDataplaneSpec spec) {
    return others().stream()
        .filter(instance -> !isStandIn(instance) || !Handover.handsOff(spec))
        .anyMatch(instance -> instance.phase() == Phase.ACTIVE);
  }

  @Override
  public void close() {
    all().forEach(DataplaneInstance::close);
    instances.clear();
    target = null;
    standIn = null;
  }
}
