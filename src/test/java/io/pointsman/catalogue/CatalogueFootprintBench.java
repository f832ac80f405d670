// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import java.lang.ref.Reference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How many bytes a Service costs, at the size that the agent's memory is budgeted for. */
@Tag("bench")
class CatalogueFootprintBench {
  private static final int SERVICES = 30_000;
  private static final int ENDPOINTS = 4;

  @Test
  void retainedBytesPerService() {
    long before = used();
    CatalogueHarness harness = new CatalogueHarness();
    long started = System.nanoTime();
    for (int i = 0; i < SERVICES; i++) {
      harness.add(Objects.service("service-" + i, "10.96." + i / 250 + "." + (1 + i % 250)));
      Endpoint[] endpoints = new Endpoint[ENDPOINTS];
      for (int e = 0; e < ENDPOINTS; e++) {
        endpoints[e] = Objects.ready("10." + (1 + e) + "." + i / 250 + "." + (1 + i % 250));
      }
      harness.add(Objects.slice("service-" + i, "service-" + i + "-abcde", endpoints));
    }
    long took = System.nanoTime() - started;
    long bytes = (used() - before) / SERVICES;
    System.out.printf(
        "catalogue: %d Services x %d endpoints, %d bytes each, %d MiB, built in %d ms%n",
        SERVICES, ENDPOINTS, bytes, bytes * SERVICES >> 20, took / 1_000_000);
    assertThat(harness.catalogue.portCount()).isEqualTo(SERVICES);
    // 350 MiB resident for the agent leave about 4 KiB of heap for each Service.
    assertThat(bytes).isLessThan(4_096);
    Reference.reachabilityFence(harness);
  }

  private static long used() {
    for (int i = 0; i < 4; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
