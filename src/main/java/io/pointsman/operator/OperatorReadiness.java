// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import jakarta.inject.Singleton;
import java.util.Optional;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.jspecify.annotations.Nullable;

/** The operator's part in the process's readiness; a process in another role has none. */
@Readiness
@Singleton
public class OperatorReadiness implements HealthCheck {
  private volatile @Nullable PointsmanOperator operator;

  /** From now on this operator's health counts. */
  public void watch(PointsmanOperator running) {
    operator = running;
  }

  @Override
  public HealthCheckResponse call() {
    PointsmanOperator running = operator;
    if (running == null) {
      return HealthCheckResponse.up("operator");
    }
    Optional<String> unready = running.unready();
    var response = HealthCheckResponse.named("operator").withData("leading", running.leading());
    return unready.isEmpty()
        ? response.up().build()
        : response.down().withData("reason", unready.get()).build();
  }
}
