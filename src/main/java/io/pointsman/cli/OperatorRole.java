// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.Gauge;
import io.pointsman.operator.OperatorOptions;
import io.pointsman.operator.PointsmanOperator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The operator as the role of this process. */
final class OperatorRole implements Role {
  private final OperatorOptions options;
  private @Nullable KubernetesClient client;
  private volatile @Nullable PointsmanOperator operator;
  private volatile boolean started;

  OperatorRole(OperatorOptions options) {
    this.options = options;
  }

  @Override
  public String name() {
    return "operator";
  }

  @Override
  public void start(Surroundings surroundings) {
    KubernetesClient own = surroundings.client().build();
    client = own;
    PointsmanOperator made = new PointsmanOperator(options, own);
    operator = made;
    Gauge.builder("pointsman.leading", made, each -> each.leading() ? 1 : 0)
        .description("1 on the replica that acts, 0 on those that stand by")
        .register(surroundings.meters());
    made.start();
    started = true;
  }

  @Override
  public boolean started() {
    return started;
  }

  @Override
  public Optional<String> unready() {
    PointsmanOperator running = operator;
    return running == null ? Optional.of("not running") : running.unready();
  }

  @Override
  public Optional<String> probeAnswer() {
    return Optional.empty();
  }

  @Override
  public void close() {
    PointsmanOperator running = operator;
    if (running != null) {
      running.close();
    }
    KubernetesClient own = client;
    if (own != null) {
      own.close();
    }
  }
}
