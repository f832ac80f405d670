// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the agent measures; no label has more than a handful of values. */
final class AgentMetrics {
  private static final Duration[] BOUNDS = {
    Duration.ofMillis(1),
    Duration.ofMillis(5),
    Duration.ofMillis(20),
    Duration.ofMillis(100),
    Duration.ofMillis(500),
    Duration.ofSeconds(2),
    Duration.ofSeconds(10)
  };

  /** What the kernel counts as a new connection, and where it was balanced. */
  private static final Map<String, String> MODES =
      Map.of("socket_connect", "socket", "flow_new", "packet");

  /** From the watch event to the kernel. */
  final Timer programmingLatency;

  /** One pass that brings changes to the kernel. */
  final Timer sync;

  /** One read-back and comparison. */
  final Timer verification;

  final Counter mismatches;
  final Counter repairs;
  final Counter failures;
  final Counter fallbacks;
  final AtomicLong servicePorts;
  final AtomicLong drainingFlows;

  private final AtomicLong refused;
  private final MultiGauge refusedObjects;
  private List<Refusals.Refusal> refusedNow = List.of();
  private final AtomicLong proven;
  private final AtomicLong frontends;
  private final AtomicLong backends;
  private volatile double startupSeconds;
  private final Map<String, AtomicLong> kernelCounters = new HashMap<>();
  private final MeterRegistry registry;

  AgentMetrics(MeterRegistry registry) {
    this.registry = registry;
    programmingLatency =
        timer(registry, "pointsman.programming.latency", "From watch event to kernel");
    sync = timer(registry, "pointsman.sync", "One pass of changes into the kernel");
    verification = timer(registry, "pointsman.verification", "One read-back and comparison");
    mismatches =
        Counter.builder("pointsman.mismatches")
            .description("Differences found between the kernel and the desired state")
            .register(registry);
    repairs =
        Counter.builder("pointsman.repairs")
            .description("Entries written or deleted to mend such differences")
            .register(registry);
    failures =
        Counter.builder("pointsman.failures")
            .description("Passes that the kernel did not take; each is repeated")
            .register(registry);
    fallbacks =
        Counter.builder("pointsman.fallbacks")
            .description("Changes that the kernel did not take at first and that went in full")
            .register(registry);
    servicePorts = gauge(registry, "pointsman.service.ports", "Service ports of the catalogue");
    frontends = gauge(registry, "pointsman.frontends", "Frontends in the kernel when last read");
    backends = gauge(registry, "pointsman.backends", "Backends in the kernel when last read");
    refused = gauge(registry, "pointsman.refused", "Parts of Services that are not served");
    refusedObjects =
        MultiGauge.builder("pointsman.refused.object")
            .description("1 for each of the first ten of them, by Service or EndpointSlice")
            .register(registry);
    drainingFlows = gauge(registry, "pointsman.draining.flows", "Flows that still drain");
    proven = gauge(registry, "pointsman.proven", "1 when the kernel is proven, else 0");
    Gauge.builder("pointsman.startup", this, metrics -> metrics.startupSeconds)
        .baseUnit("seconds")
        .description("From the start of the JVM to the first proof; 0 before it")
        .register(registry);
  }

  /** What the last read-back showed; null when what is in the kernel is not known. */
  void show(@Nullable Proof proof) {
    boolean now = proof != null && proof.proven();
    proven.set(now ? 1 : 0);
    frontends.set(proof == null ? 0 : proof.frontends());
    backends.set(proof == null ? 0 : proof.backends());
    if (now && startupSeconds == 0) {
      // Not ProcessHandle's start: the kernel tells the time of its boot in whole seconds.
      startupSeconds = ManagementFactory.getRuntimeMXBean().getUptime() / 1000.0;
    }
  }

  /** What is not served; the first are named. */
  void refusals(Refusals refusals) {
    refused.set(refusals.count());
    List<Refusals.Refusal> first = refusals.first();
    if (!first.equals(refusedNow)) {
      refusedNow = first;
      refusedObjects.register(
          first.stream()
              .map(each -> Tags.of("object", each.object(), "reason", each.reason()))
              .distinct()
              .map(tags -> MultiGauge.Row.of(tags, 1))
              .collect(Collectors.toUnmodifiableList()),
          true);
    }
  }

  /** What the kernel counts; the names are few and fixed. */
  void kernelCounters(Map<String, Long> counters) {
    counters.forEach(
        (name, value) -> kernelCounters.computeIfAbsent(name, this::kernelCounter).set(value));
  }

  private AtomicLong kernelCounter(String name) {
    AtomicLong value = new AtomicLong();
    FunctionCounter.builder("pointsman.kernel.events", value, AtomicLong::doubleValue)
        .description("What the programs in the kernel have done, dropped and passed")
        .tag("event", name)
        .register(registry);
    String mode = MODES.get(name);
    if (mode != null) {
      FunctionCounter.builder("pointsman.connections", value, AtomicLong::doubleValue)
          .description("Connections that were balanced, at a socket or by their first packet")
          .tag("mode", mode)
          .register(registry);
    }
    return value;
  }

  private static Timer timer(MeterRegistry registry, String name, String description) {
    return Timer.builder(name)
        .description(description)
        .serviceLevelObjectives(BOUNDS)
        .register(registry);
  }

  private static AtomicLong gauge(MeterRegistry registry, String name, String description) {
    AtomicLong value = new AtomicLong();
    Gauge.builder(name, value, AtomicLong::doubleValue).description(description).register(registry);
    return value;
  }
}
