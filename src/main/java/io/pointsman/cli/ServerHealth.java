// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import java.util.Optional;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.eclipse.microprofile.health.Startup;

/** The role's health, as the probes of its pod ask for it. */
@ApplicationScoped
final class ServerHealth {
  @Produces
  @Liveness
  HealthCheck live() {
    // Whoever answers lives: what is wrong in the cluster or the kernel is not mended by a restart.
    return () -> report("live", Server.role().dead());
  }

  @Produces
  @Readiness
  HealthCheck ready() {
    return () -> report("ready", Server.role().unready());
  }

  @Produces
  @Startup
  HealthCheck started() {
    return () ->
        report(
            "started",
            Server.role().started() ? Optional.empty() : Optional.of("it has not started yet"));
  }

  private static HealthCheckResponse report(String check, Optional<String> trouble) {
    var response =
        HealthCheckResponse.named(Server.role().name() + " " + check).status(trouble.isEmpty());
    trouble.ifPresent(message -> response.withData("message", message));
    return response.build();
  }
}
