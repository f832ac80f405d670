// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.RestoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves Services by netfilter rules in kube-proxy's own chains (ADR 3). Opening one changes
 * nothing; what is in the kernel serves on whether one is open or not. It works on the network
 * namespace of the threads that call it. Safe for use by several threads.
 */
public final class IptablesDataplane implements Dataplane {
  private final IptablesOptions options;
  private final boolean inTurn;
  private @Nullable Session session;

  /** Whether it was seen that nothing is in the kernel, and nothing was written since. */
  private boolean absent;

  /**
   * Opens the dataplane.
   *
   * @throws DataplaneException when iptables does not have the scheduler
   */
  public IptablesDataplane(IptablesOptions options, DataplaneSettings settings) {
    this.options = options;
    this.inTurn = inTurn(settings.scheduler());
  }

  /**
   * Reads what the rules serve, whoever wrote them, for a person: Pointsman or kube-proxy in its
   * iptables mode. Defects are not looked for.
   *
   * @throws DataplaneException when the rules cannot be read
   */
  public static KernelState readRules(IptablesOptions options) {
    return guard(
        "read rules",
        () -> {
          List<SavedTables> saved = new ArrayList<>();
          for (Discovery.Place place : Discovery.look(options).chosen()) {
            SavedTables tables = new SavedTables(Families.of(place.tool));
            place.tool.save(tables::accept);
            saved.add(tables);
          }
          return new IptablesKernelState(saved, List.of(), List.of());
        });
  }

  @Override
  public synchronized Preflight preflight() {
    return guard("preflight", () -> new IptablesPreflight(options, NodeFacts.HERE).run());
  }

  @Override
  public synchronized PlannedWrites plan(DesiredState desired) {
    return guard("plan", () -> new Forecast(options, inTurn).writes(desired));
  }

  @Override
  public synchronized Holdings holdings() {
    return guard("count", () -> new Forecast(options, inTurn).holdings());
  }

  @Override
  public synchronized SyncResult prepare(DesiredState desired) {
    return guard("prepare", () -> open().prepare(desired));
  }

  @Override
  public synchronized void activate() {
    guard("activate", () -> done(open()::activate));
  }

  @Override
  public synchronized SyncResult apply(DesiredState.Delta delta) {
    return guard("apply change", () -> open().apply(delta));
  }

  @Override
  public synchronized void applyNodePortAddresses(Set<Address> addresses) {
    guard("apply node-port addresses", () -> done(() -> open().applyNodePortAddresses(addresses)));
  }

  @Override
  public synchronized KernelState read() {
    return guard("read back", () -> open().read());
  }

  @Override
  public synchronized SyncResult repair(DesiredState desired) {
    return guard("repair", () -> open().prepare(desired));
  }

  @Override
  public synchronized SyncResult maintain() {
    Session open = session;
    return guard("maintain", () -> open == null ? SyncResult.NONE : open.maintain());
  }

  @Override
  public synchronized DrainState drain() {
    return guard("drain", () -> open().drain());
  }

  @Override
  public synchronized void remove() {
    guard(
        "remove",
        () -> {
          open().remove();
          close();
          return true;
        });
  }

  @Override
  public synchronized List<String> leftovers() {
    return guard(
        "look for leftovers",
        () ->
            ChainSearch.find(
                options.commands(), options.standIn() ? StandInView.CHAINS : ChainNames.OWN));
  }

  @Override
  public synchronized Phase phase() {
    return guard("read phase", () -> isAbsent() ? Phase.ABSENT : open().phase());
  }

  @Override
  public synchronized Map<String, Long> events() {
    Session open = session;
    return open == null ? Map.of() : open.events();
  }

  @Override
  public synchronized void close() {
    session = null;
    absent = false;
  }

  private boolean isAbsent() {
    absent = session == null && (absent || Discovery.absent(options));
    return absent;
  }

  private Session open() {
    Session open = session;
    if (open == null) {
      open = new Session(options, inTurn);
      session = open;
    }
    return open;
  }

  private static boolean done(Runnable action) {
    action.run();
    return true;
  }

  private static <T> T guard(String what, Supplier<T> action) {
    try {
      return action.get();
    } catch (KernelException | CommandException | RestoreException e) {
      throw new DataplaneException(what + ": " + e.getMessage(), e);
    }
  }

  private static boolean inTurn(Scheduler wanted) {
    return switch (wanted) {
      case RANDOM -> false;
      case RR -> true;
      case WRR, LC, WLC, SH, DH, SED, NQ, MH, LBLC, LBLCR, FO, OVF ->
          throw new DataplaneException(
              "The Iptables dataplane does not have the scheduler "
                  + wanted.name().toLowerCase(Locale.ROOT)
                  + ": choose random or rr.",
              null);
    };
  }
}
