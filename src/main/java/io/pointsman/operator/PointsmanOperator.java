// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * The operator of one replica: stands by with warm caches until it has the lease, then leads. A
 * leader that loses the lease ends the process, so that never two act.
 */
public final class PointsmanOperator implements AutoCloseable {
  /** The Lease's name. */
  public static final String LEASE = "pointsman-operator";

  private static final Logger LOG = Logger.getLogger(PointsmanOperator.class);

  private final OperatorOptions options;
  private final KubernetesClient client;
  private final Runnable onLeaseLost;
  private final CatalogueWatch catalogue;
  private final ProxyDataplaneReconciler reconciler;
  private final Operator operator;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final AtomicBoolean started = new AtomicBoolean();
  private final AtomicBoolean leading = new AtomicBoolean();

  /** An operator whose process ends at once when it loses the lease. */
  public PointsmanOperator(OperatorOptions options, KubernetesClient client) {
    this(options, client, () -> Runtime.getRuntime().halt(1));
  }

  /** An operator that runs {@code onLeaseLost} when it loses the lease. */
  PointsmanOperator(OperatorOptions options, KubernetesClient client, Runnable onLeaseLost) {
    this.options = options;
    this.client = client;
    this.onLeaseLost = onLeaseLost;
    Clock clock = Clock.systemUTC();
    catalogue = new CatalogueWatch(client, clock);
    reconciler = new ProxyDataplaneReconciler(client, options, catalogue, clock);
    operator =
        new Operator(
            overrider ->
                overrider
                    .withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .withConcurrentReconciliationThreads(1)
                    .withLeaderElectionConfiguration(lease()));
    var unused =
        operator.register(
            reconciler,
            overrider ->
                overrider
                    .withReconciliationMaxInterval(Duration.ofSeconds(60))
                    .withRateLimiter(new LinearRateLimiter(Duration.ofSeconds(1), 10))
                    .withRetry(
                        new GenericRetry()
                            .setInitialInterval(500)
                            .setIntervalMultiplier(2)
                            .setMaxInterval(Duration.ofSeconds(30).toMillis())
                            .withoutMaxAttempts()));
  }

  /** Starts watching and takes part in the election; returns when the first lists are in. */
  public void start() {
    catalogue.start();
    operator.start();
    started.set(true);
  }

  /** Whether this replica is the one that acts. */
  public boolean leading() {
    return leading.get();
  }

  /** How often this replica has planned and acted since it started. */
  public long looks() {
    return reconciler.looks();
  }

  /** Has every ProxyDataplane looked at again. */
  void wake() {
    reconciler.wake();
  }

  /** What is wrong, in words; empty when this replica leads or could lead at once. */
  public Optional<String> unready() {
    if (!started.get() || closing.get()) {
      return Optional.of("not running");
    }
    if (!catalogue.healthy()) {
      return Optional.of("the watch of Services and EndpointSlices does not run");
    }
    return operator.getRuntimeInfo().allEventSourcesAreHealthy()
        ? Optional.empty()
        : Optional.of(
            "watches do not run: "
                + operator.getRuntimeInfo().unhealthyEventSources().values().stream()
                    .flatMap(sources -> sources.keySet().stream())
                    .sorted()
                    .toList());
  }

  /** Ends, and gives the lease back so that another replica need not wait for it. */
  @Override
  public void close() {
    if (closing.getAndSet(true)) {
      return;
    }
    operator.stop();
    reconciler.close();
    catalogue.close();
    release();
  }

  private LeaderElectionConfiguration lease() {
    return LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(LEASE)
        .withLeaseNamespace(options.namespace())
        .withIdentity(options.identity())
        .withLeaseDuration(options.timings().leaseDuration())
        .withRenewDeadline(options.timings().renewDeadline())
        .withRetryPeriod(options.timings().retryPeriod())
        .withLeaderCallbacks(new LeaderCallbacks(() -> leading.set(true), this::lost, leader -> {}))
        .build();
  }

  private void lost() {
    leading.set(false);
    if (!closing.get()) {
      LOG.error("lost the lease: this process ends, another replica takes over");
      onLeaseLost.run();
    }
  }

  private void release() {
    try {
      Lease lease = client.leases().inNamespace(options.namespace()).withName(LEASE).get();
      if (lease != null && options.identity().equals(lease.getSpec().getHolderIdentity())) {
        lease.getSpec().setHolderIdentity("");
        client.leases().inNamespace(options.namespace()).resource(lease).update();
      }
    } catch (KubernetesClientException e) {
      LOG.infof("the lease was not given back and runs out by itself: %s", e.getMessage());
    }
  }
}
