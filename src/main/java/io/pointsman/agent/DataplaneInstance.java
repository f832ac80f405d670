// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.verify.Verdict;

/** A dataplane of this node, with what brings changes to it and what proves it. */
final class DataplaneInstance implements AutoCloseable {
  private final LinuxDataplane kind;
  private final DataplaneSettings settings;
  private final Dataplane dataplane;
  private final Programmer programmer;
  private final Prover prover;

  DataplaneInstance(
      LinuxDataplane kind,
      DataplaneSettings settings,
      Dataplane dataplane,
      Programmer programmer,
      Prover prover) {
    this.kind = kind;
    this.settings = settings;
    this.dataplane = dataplane;
    this.programmer = programmer;
    this.prover = prover;
  }

  LinuxDataplane kind() {
    return kind;
  }

  DataplaneSettings settings() {
    return settings;
  }

  Dataplane dataplane() {
    return dataplane;
  }

  Programmer programmer() {
    return programmer;
  }

  Prover prover() {
    return prover;
  }

  Phase phase() {
    return dataplane.phase();
  }

  /** Whether the kernel follows every change and was read back as it shall be. */
  boolean proven() {
    return programmer.programming() && prover.proven();
  }

  SyncResult flush() {
    return programmer.flush(dataplane);
  }

  SyncResult prepare() {
    return programmer.prepare(dataplane);
  }

  SyncResult repair() {
    return programmer.repair(dataplane);
  }

  Verdict prove() {
    return prover.prove(dataplane, programmer);
  }

  /** The kernel follows no more. */
  void stop() {
    programmer.stop();
    prover.forget();
  }

  /** Leaves new flows to others. */
  DrainState drain() {
    stop();
    return dataplane.drain();
  }

  /** The same once another has taken them, which this makes it do. */
  void drainAfter(Runnable takeOver) {
    DrainState unused =
        dataplane.drainAfter(
            () -> {
              takeOver.run();
              stop();
            });
  }

  /** Takes all of it out of the kernel. */
  void remove() {
    stop();
    dataplane.remove();
  }

  @Override
  public void close() {
    dataplane.close();
  }
}
