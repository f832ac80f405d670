// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.RtNetlink;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Serves Services by BPF programs at sockets and devices (ADR 1). Opening one changes nothing; what
 * is in the kernel serves on whether one is open or not. It works on the cgroup of its options and
 * on the network namespace of the threads that call it. Safe for use by several threads.
 */
public final class BpfDataplane implements Dataplane {
  private static final Logger LOG = Logger.getLogger(BpfDataplane.class);
  private static final int SCHEDULER_RANDOM = 0;
  private static final int SCHEDULER_RR = 1;

  private final BpfOptions options;
  private final DataplaneSettings settings;
  private final Pins pins;
  private final int scheduler;
  private final TranslationHold translation = new TranslationHold(new CommandRunner());
  private @Nullable Session session;

  /** Families that the stack has flows of; null before this agent has looked. */
  private @Nullable Set<IpFamily> held;

  /**
   * Opens the dataplane.
   *
   * @throws DataplaneException when BPF does not have the scheduler
   */
  public BpfDataplane(BpfOptions options, DataplaneSettings settings) {
    this.options = options;
    this.settings = settings;
    this.pins = new Pins(options.pinRoot());
    this.scheduler = scheduler(settings.scheduler());
  }

  /**
   * Reads the pinned maps as they are, for a person: nothing is opened for writing or compared.
   *
   * @throws DataplaneException when they are not there or cannot be read
   */
  public static KernelState readPinned(BpfOptions options) {
    Pins pins = new Pins(options.pinRoot());
    try (BpfMap frontends = BpfMap.openPinned(pins.map(Layout.NAT_FE));
        BpfMap backends = BpfMap.openPinned(pins.map(Layout.NAT_BE));
        NatReader reader = new NatReader(frontends, backends)) {
      return new BpfKernelState(reader.read(), List.of());
    } catch (KernelException e) {
      throw new DataplaneException("read pinned maps: " + e.getMessage(), e);
    }
  }

  @Override
  public synchronized Preflight preflight() {
    return guard("preflight", () -> new BpfPreflight(options, settings, BpfFacts.HERE).run());
  }

  @Override
  public synchronized PlannedWrites plan(DesiredState desired) {
    return guard("plan", () -> new Forecast(options, settings, scheduler).writes(desired));
  }

  @Override
  public synchronized Holdings holdings() {
    return guard("count", () -> new Forecast(options, settings, scheduler).holdings());
  }

  @Override
  public synchronized SyncResult prepare(DesiredState desired) {
    return guard(
        "prepare",
        () -> {
          Session open = session;
          if (open == null) {
            open = new Session(options, settings, scheduler);
            session = open;
          }
          return open.prepare(desired);
        });
  }

  @Override
  public synchronized void activate() {
    guard(
        "activate",
        () -> {
          hold(new FlowImport(pins).run(false));
          enter(Phase.ACTIVE);
          // Flows that began meanwhile were noted by the programs; now the stack gets no more.
          hold(new FlowImport(pins).run(true));
          return true;
        });
  }

  @Override
  public synchronized SyncResult apply(DesiredState.Delta delta) {
    return guard("apply change", () -> prepared().apply(delta));
  }

  @Override
  public synchronized void applyNodePortAddresses(Set<Address> addresses) {
    guard("apply node-port addresses", () -> prepared().applyNodePortAddresses(addresses));
  }

  @Override
  public synchronized KernelState read() {
    return guard("read back", () -> prepared().read());
  }

  @Override
  public synchronized SyncResult repair(DesiredState desired) {
    return guard("repair", () -> prepared().repair(desired));
  }

  /** Follows which flows the stack still has, until it has none. */
  @Override
  public synchronized SyncResult maintain() {
    return guard(
        "maintain",
        () -> {
          boolean none = held != null && held.isEmpty();
          if (!none && phase() == Phase.ACTIVE) {
            hold(new FlowImport(pins).run(true));
          }
          return SyncResult.NONE;
        });
  }

  /** Flows are handed over to conntrack; left are those that it does not take. */
  @Override
  public synchronized DrainState drain() {
    return guard(
        "drain",
        () -> {
          if (phase() == Phase.ABSENT) {
            return DrainState.carrying(0);
          }
          handOver();
          try (BpfMap ct = BpfMap.openPinned(pins.map(Layout.CT))) {
            return DrainState.carrying(FlowCounter.count(ct));
          }
        });
  }

  @Override
  public synchronized void remove() {
    guard(
        "remove",
        () -> {
          close();
          if (written().isPresent()) {
            handOver();
          }
          // Sockets first: from here on they go to kube-proxy, while packets are still translated.
          pins.linkNames().forEach(link -> TcxAttachment.detach(pins, link));
          try (RtNetlink netlink = new RtNetlink()) {
            netlink.devices().forEach(device -> FilterAttachment.remove(device.index(), netlink));
          }
          // Whoever serves now has rules of its own. Before the pins, which tell what is not done.
          translation.remove();
          held = null;
          if (pins.present()) {
            pins.removeAll();
          }
          return true;
        });
  }

  @Override
  public synchronized List<String> leftovers() {
    return guard(
        "look for leftovers",
        () -> {
          List<String> left = new ArrayList<>(translation.leftovers());
          try (RtNetlink netlink = new RtNetlink()) {
            left.addAll(FilterAttachment.leftovers(netlink));
          }
          if (pins.present()) {
            left.add("pins in " + pins.maps());
          }
          return left;
        });
  }

  /** Pins that a crash has left without the map that has the phase are to be finished, too. */
  @Override
  public synchronized Phase phase() {
    return written().orElse(pins.present() ? Phase.PREPARED : Phase.ABSENT);
  }

  /** The phase as the kernel has it. */
  private Optional<Phase> written() {
    try (BpfMap config = BpfMap.openPinned(pins.map(Layout.CONFIG))) {
      return Optional.of(Config.read(config).phase());
    } catch (BpfException e) {
      if (e.errno() == Errno.ENOENT) {
        return Optional.empty();
      }
      throw new DataplaneException("read phase: " + e.getMessage(), e);
    }
  }

  /**
   * How often the programs did what they count, since the maps were made; all zero when they are
   * not there.
   */
  public synchronized Map<Counter, Long> counters() {
    return guard("read counters", () -> Counters.read(pins.map(Layout.COUNTERS)));
  }

  @Override
  public Map<String, Long> events() {
    Map<String, Long> events = new TreeMap<>();
    counters().forEach((counter, n) -> events.put(counter.name().toLowerCase(Locale.ROOT), n));
    return events;
  }

  @Override
  public synchronized void close() {
    Session open = session;
    session = null;
    if (open != null) {
      open.close();
    }
  }

  private void hold(Set<IpFamily> families) {
    if (!families.equals(held)) {
      translation.keep(families);
    }
    held = families;
  }

  /** Takes no new flows, and gives conntrack those that there are. */
  private void handOver() {
    enter(Phase.DRAINING);
    try (FlowExport export = new FlowExport(pins)) {
      export.run();
    } catch (KernelException e) {
      // What cannot be handed over stays with the programs as long as they are there.
      LOG.warnf("Flows were not handed over to conntrack: %s", e.getMessage());
    }
  }

  private boolean enter(Phase phase) {
    try (BpfMap config = BpfMap.openPinned(pins.map(Layout.CONFIG))) {
      Config before = Config.read(config);
      if (before.phase() != phase) {
        before.in(phase).write(config);
      }
      return true;
    }
  }

  private Session prepared() {
    Session open = session;
    if (open == null) {
      throw new DataplaneException("The BPF dataplane is not open: prepare it first.", null);
    }
    return open;
  }

  private static <T> T guard(String what, Supplier<T> action) {
    try {
      return action.get();
    } catch (KernelException e) {
      throw new DataplaneException(what + ": " + e.getMessage(), e);
    }
  }

  private static int scheduler(Scheduler wanted) {
    return switch (wanted) {
      case RANDOM -> SCHEDULER_RANDOM;
      case RR -> SCHEDULER_RR;
      case WRR, LC, WLC, SH, DH, SED, NQ, MH, LBLC, LBLCR, FO, OVF ->
          throw new DataplaneException(
              "The BPF dataplane does not have the scheduler "
                  + wanted.name().toLowerCase(Locale.ROOT)
                  + ": choose random or rr.",
              null);
    };
  }
}
