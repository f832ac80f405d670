// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.HostAddresses;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.PreflightException;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.KernelException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves Services by virtual servers of ip_vs (ADR 4). Opening one changes nothing; what is in the
 * kernel serves on whether one is open or not. It works on the network namespace of the threads
 * that call it. Safe for use by several threads.
 */
public final class IpvsDataplane implements Dataplane {
  /** The device that holds the Services' addresses, named as kube-proxy names it. */
  public static final String DEVICE = HostAddresses.SERVICE_DEVICE;

  private final IpvsOptions options;
  private final String scheduler;
  private @Nullable Session session;

  /**
   * Opens the dataplane.
   *
   * @throws DataplaneException when ip_vs does not have the scheduler
   */
  public IpvsDataplane(IpvsOptions options, DataplaneSettings settings) {
    this.options = options;
    this.scheduler = Schedulers.name(settings.scheduler());
  }

  /**
   * Lets packets go on that an agent held when it was killed: it was handing over their flows.
   *
   * @throws DataplaneException when they are held still
   */
  public static void letGo(IpvsOptions options) {
    boolean unused = guard("let held packets go", () -> done(new Leaving(options)::letGo));
  }

  @Override
  public synchronized Preflight preflight() {
    return guard("preflight", () -> new IpvsPreflight(options, scheduler, IpvsFacts.HERE).run());
  }

  @Override
  public synchronized PlannedWrites plan(DesiredState desired) {
    return guard("plan", () -> new Forecast(options, scheduler).writes(desired));
  }

  @Override
  public synchronized Holdings holdings() {
    return guard("count", () -> new Forecast(options, scheduler).holdings());
  }

  @Override
  public synchronized SyncResult prepare(DesiredState desired) {
    // A live resource may have got another scheduler, which no preflight has looked for.
    new SchedulerCheck(new Modules(), scheduler)
        .find()
        .filter(finding -> finding.severity() == Preflight.Severity.BLOCKING)
        .ifPresent(
            finding -> {
              throw new PreflightException(finding);
            });
    return guard("prepare", () -> open().prepare(desired));
  }

  @Override
  public synchronized void activate() {
    guard("activate", () -> done(prepared()::activate));
  }

  @Override
  public synchronized SyncResult apply(DesiredState.Delta delta) {
    return guard("apply change", () -> prepared().apply(delta));
  }

  @Override
  public synchronized void applyNodePortAddresses(Set<Address> addresses) {
    guard(
        "apply node-port addresses",
        () -> done(() -> prepared().applyNodePortAddresses(addresses)));
  }

  @Override
  public synchronized KernelState read() {
    return guard("read back", () -> prepared().read());
  }

  @Override
  public synchronized SyncResult repair(DesiredState desired) {
    return guard("repair", () -> prepared().prepare(desired));
  }

  @Override
  public synchronized SyncResult maintain() {
    return guard("maintain", () -> session == null ? SyncResult.NONE : prepared().maintain());
  }

  @Override
  public synchronized void handOverFlows() {
    guard("hand flows over", () -> done(prepared()::handOverFlows));
  }

  @Override
  public synchronized DrainState drain() {
    return guard("drain", () -> new Leaving(options).drain());
  }

  /** Answers to flows of BPF's may look like those of connections that ip_vs remembers. */
  @Override
  public synchronized DrainState drainAfter(Runnable takeOver) {
    return guard("drain", () -> new Leaving(options).drainAfter(takeOver));
  }

  @Override
  public synchronized void remove() {
    guard(
        "remove",
        () -> {
          Note noted = session == null ? Note.NONE : session.noted();
          close();
          return done(() -> new Leaving(options).remove(noted));
        });
  }

  @Override
  public synchronized List<String> leftovers() {
    return guard("look for leftovers", () -> new Leaving(options).leftovers());
  }

  @Override
  public synchronized Phase phase() {
    return guard("read phase", Leaving::phase);
  }

  @Override
  public synchronized Map<String, Long> events() {
    return guard("read counters", Counters::read);
  }

  @Override
  public synchronized void close() {
    Session open = session;
    session = null;
    if (open != null) {
      open.close();
    }
  }

  private Session open() {
    Session open = session;
    if (open == null) {
      open = new Session(options, scheduler);
      session = open;
    }
    return open;
  }

  private Session prepared() {
    Session open = session;
    if (open == null) {
      throw new DataplaneException("The IPVS dataplane is not open: prepare it first.", null);
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
    } catch (KernelException | CommandException e) {
      throw new DataplaneException(what + ": " + e.getMessage(), e);
    }
  }
}
