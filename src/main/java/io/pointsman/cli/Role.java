// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;

/** What a serving command does between the start and the end of its process. */
interface Role extends AutoCloseable {
  /** As it is called in messages and health reports. */
  String name();

  /**
   * Starts working; returns when it has all it needs to work.
   *
   * @throws RuntimeException when it cannot work at all; the process ends
   */
  void start(Surroundings surroundings);

  /** Why only a restart helps, in words for a person; empty while it works. */
  default Optional<String> dead() {
    return Optional.empty();
  }

  /** Whether {@link #start} has done its part. */
  boolean started();

  /** Why it is not ready, in words for a person; empty when it is. */
  Optional<String> unready();

  /** What it answers on the probe's path; empty when it has no such path. */
  Optional<String> probeAnswer();

  /** Ends in order, as after SIGTERM. */
  @Override
  void close();

  /**
   * What the process has for its role.
   *
   * @param client makes clients that share the process's event loop
   */
  record Surroundings(MeterRegistry meters, KubernetesClientBuilder client) {}
}
