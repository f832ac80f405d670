// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.RestoreException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one family's tables as the cluster's Services want them. A change is one run of
 * iptables-restore that carries only the chains it touches. For one thread at a time.
 */
final class FamilyTables {
  private final Iptables tool;
  private final FamilyReader reader;
  private final IpFamily family;
  private final boolean inTurn;
  private final Optional<AddressRange> localRange;
  private final boolean standIn;
  private final Map<ServicePortId, ServicePort> programmed = new HashMap<>();
  private ServiceRules rules;
  private List<String> doors = List.of();
  private String services = ChainNames.SERVICES;
  private Phase phase;
  private boolean prepared;

  /** What the setting was before, as it is noted in the tables. */
  private @Nullable String routeLocalnet;

  private boolean trusted;

  /**
   * Opens the tables; changes nothing.
   *
   * @param inTurn whether endpoints are chosen one after the other, else at random
   * @param place where they are
   */
  FamilyTables(Discovery.Place place, boolean inTurn, IptablesOptions options) {
    this.tool = place.tool;
    this.family = Families.of(tool);
    this.reader = new FamilyReader(tool, family);
    this.inTurn = inTurn;
    this.localRange = options.localRange(family);
    this.standIn = options.standIn();
    this.rules = new ServiceRules(inTurn, localRange, true);
    this.phase = place.phase;
  }

  IpFamily family() {
    return family;
  }

  Phase phase() {
    return phase;
  }

  /** Whether the tables were compared with a desired state since they were opened. */
  boolean prepared() {
    return prepared;
  }

  /** Whether a change can be applied; after a failed write the tables must be reconciled first. */
  boolean trusted() {
    return trusted;
  }

  /** What was written last. */
  Collection<ServicePort> programmed() {
    return programmed.values();
  }

  /** What must be last in KUBE-SERVICES. */
  List<String> doors() {
    return doors;
  }

  /** The chain that Services are found in. */
  String services() {
    return services;
  }

  boolean inTurn() {
    return inTurn;
  }

  /** What comes from elsewhere is masqueraded on its way to a cluster IP. */
  Optional<AddressRange> localRange() {
    return localRange;
  }

  /** What the tables are read with. */
  FamilyReader reader() {
    return reader;
  }

  /**
   * Reads the tables and writes what is not as it shall be, in the phase that they are in. While a
   * table cannot be seen, what was written is taken for what is there.
   *
   * @throws DataplaneException when a table cannot be seen, and what is in it is not known either
   */
  Changes reconcile(Collection<ServicePort> ports, List<String> wantedDoors) {
    SavedTables saved = reader.save();
    if (!saved.hidden().isEmpty() && trusted && wantedDoors.equals(doors)) {
      return follow(ports);
    }
    trusted = false;
    reader.needAll(saved);
    return reconcile(saved, ports, wantedDoors, adopted(saved));
  }

  /**
   * Takes new flows. Service ports' own chains are taken for what was written, unless the kernel
   * says otherwise; all is read back afterwards anyway.
   */
  Changes activate() {
    List<ServicePort> ports = List.copyOf(programmed.values());
    Supplier<Changes> inFull =
        () -> reconcile(reader.needAll(reader.save()), ports, doors, Phase.ACTIVE);
    if (!trusted) {
      return inFull.get();
    }
    trusted = false;
    try {
      return reconcile(reader.needAll(reader.skim()), ports, doors, Phase.ACTIVE);
    } catch (RestoreException e) {
      return insteadOf(e, inFull);
    }
  }

  private Changes follow(Collection<ServicePort> ports) {
    Map<ServicePortId, ServicePort> gone = new HashMap<>(programmed);
    List<DesiredState.Change> upserted = new ArrayList<>();
    for (ServicePort port : ports) {
      ServicePort before = gone.remove(port.id());
      if (!port.equals(before)) {
        upserted.add(new DesiredState.Change(before, port));
      }
    }
    return apply(upserted, gone.values());
  }

  /** Applies a change; when it is refused, everything that differs is written instead. */
  Changes apply(Collection<DesiredState.Change> upserted, Collection<ServicePort> removed) {
    PartialScript script = new PartialScript(services, CommitSize.of(tool.variant()));
    for (ServicePort port : removed) {
      script.change(rulesOf(programmed.remove(port.id())), PortRules.NONE);
    }
    for (DesiredState.Change change : upserted) {
      ServicePort after = change.after();
      script.change(rulesOf(programmed.put(after.id(), after)), rules.of(after));
    }
    return restore(script, upserted, removed);
  }

  /** Follows a change of the addresses that answer on node ports. */
  Changes applyDoors(List<String> wanted) {
    if (wanted.equals(doors)) {
      return Changes.NONE;
    }
    return reconcile(List.copyOf(programmed.values()), wanted);
  }

  static List<String> doors(IpFamily family, Set<Address> wanted, Set<Address> present) {
    return NodePortDoors.rules(family, wanted, present);
  }

  /**
   * Leaves new flows to others.
   *
   * @throws DataplaneException when a table cannot be seen, so that its jumps would stay
   */
  void drain(SavedTables saved) {
    if (reader.isThere(saved)) {
      reader.needAll(saved);
    }
    trusted = false;
    DrainScript script = new DrainScript(saved);
    if (!script.isEmpty()) {
      tool.restore(script);
    }
    phase = saved.phase() == Phase.ABSENT ? Phase.ABSENT : Phase.DRAINING;
  }

  /**
   * Takes everything out that is Pointsman's.
   *
   * @throws DataplaneException when a table cannot be read, so that nothing stays there unseen
   */
  void remove() {
    SavedTables saved = reader.save();
    if (saved.phase() == Phase.ABSENT && reader.isThere(saved)) {
      throw new DataplaneException("remove chains: " + reader.hidden(Table.NAT), null);
    }
    trusted = false;
    // First, while it is still written down what the value was.
    RouteLocalnet.restore(saved);
    ChainRemoval removal = new ChainRemoval(saved.removable(standIn));
    tool.save(removal::accept);
    if (saved.phase() != Phase.ABSENT && !removal.unreadable().isEmpty()) {
      throw new DataplaneException(
          "remove chains: " + HiddenTables.tell(tool, removal.unreadable().getFirst()), null);
    }
    if (!removal.isClean()) {
      tool.restore(removal.script(tool.variant()));
    }
    phase = Phase.ABSENT;
    prepared = false;
    programmed.clear();
  }

  private Changes restore(
      PartialScript script,
      Collection<DesiredState.Change> upserted,
      Collection<ServicePort> removed) {
    if (script.isEmpty()) {
      return Changes.NONE;
    }
    // One that is killed says nothing, and may have come to half of it.
    trusted = false;
    try {
      tool.restore(script);
      trusted = true;
      return new Changes(script.written(), script.deleted());
    } catch (RestoreException e) {
      return insteadOf(e, () -> reconcile(List.copyOf(programmed.values()), doors))
          .after(e, upserted, removed);
    }
  }

  /** Tables that were committed before a refusal stay changed, and the phase with them. */
  private void restore(FullScript script) {
    try {
      tool.restore(script);
    } catch (RestoreException | CommandException e) {
      phase = phaseAfter(e);
      throw e;
    }
  }

  /** Something may be there that cannot be read now, and is to be taken out later. */
  private Phase phaseAfter(RuntimeException failure) {
    try {
      return reader.save().phase();
    } catch (CommandException e) {
      failure.addSuppressed(e);
      return phase == Phase.ABSENT ? Phase.PREPARED : phase;
    }
  }

  private static Changes insteadOf(RestoreException refusal, Supplier<Changes> whole) {
    try {
      return whole.get();
    } catch (RestoreException | DataplaneException second) {
      second.addSuppressed(refusal);
      throw second;
    }
  }

  private Changes reconcile(
      SavedTables saved, Collection<ServicePort> ports, List<String> wantedDoors, Phase target) {
    rules = ServiceRules.of(ports, inTurn, localRange);
    String noted = standIn ? null : RouteLocalnet.before(saved, wantedDoors, target);
    boolean flushed = noted == null && prepared && saved.phase() == Phase.ABSENT;
    String before = flushed ? routeLocalnet : noted;
    WantedTables wanted = new WantedTables(ports, rules, wantedDoors, target, before);
    FullScript script = new FullScript(saved, wanted, CommitSize.of(tool.variant()));
    if (!script.isEmpty()) {
      restore(script);
    }
    if (before != null && target == Phase.ACTIVE) {
      RouteLocalnet.switchOn();
    }
    if (programmed.values() != ports) {
      programmed.clear();
      ports.forEach(port -> programmed.put(port.id(), port));
    }
    routeLocalnet = before;
    doors = wantedDoors;
    services = script.services();
    phase = target;
    prepared = true;
    trusted = true;
    return new Changes(script.written(), script.deleted());
  }

  /** The setting that node ports at 127.0.0.1 need, where they are served. */
  Optional<Setting> setting(SavedTables saved) {
    return standIn ? Optional.empty() : RouteLocalnet.setting(saved, doors, phase);
  }

  /**
   * The phase to go on in: what kube-proxy left in service is taken over as it is, and what this
   * had in service goes on when somebody has flushed the tables.
   */
  private Phase adopted(SavedTables saved) {
    if (saved.phase() == Phase.DRAINING || saved.phase() == Phase.ACTIVE) {
      return saved.phase();
    }
    if (saved.phase() == Phase.ABSENT && prepared && phase == Phase.ACTIVE) {
      return phase;
    }
    return saved.entered() && !saved.servesIpvs() ? Phase.ACTIVE : Phase.PREPARED;
  }

  private PortRules rulesOf(@Nullable ServicePort port) {
    return port == null ? PortRules.NONE : rules.of(port);
  }
}
