// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.quarkus.runtime.Quarkus;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Runs the one role of this process inside Quarkus, which serves its health and metrics. */
final class Server {
  private static final AtomicReference<@Nullable Role> ROLE = new AtomicReference<>();

  private Server() {}

  /** Serves until the process is told to end; returns its exit code. */
  static int run(Role role, ServerOptions options, int port) {
    if (!ROLE.compareAndSet(null, role)) {
      throw new IllegalStateException("this process serves already");
    }
    // Quarkus reads these when it starts; a QUARKUS_* variable does not override the command line.
    System.setProperty("quarkus.http.port", Integer.toString(port));
    options.apply();
    AtomicInteger exitCode = new AtomicInteger();
    Quarkus.run(ServerApplication.class, (code, failure) -> exitCode.set(code));
    return exitCode.get();
  }

  /** The role of this process. */
  static Role role() {
    Role role = ROLE.get();
    if (role == null) {
      throw new IllegalStateException("Quarkus was started without a role");
    }
    return role;
  }
}
