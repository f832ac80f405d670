// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever happened before, the catalogue is what a fresh one makes of the objects that remain. */
class CataloguePropertyTest {
  private static final int EVENTS = 3_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyHistoryGivesWhatAFreshBuildGives(long seed) {
    Random random = new Random(seed);
    CatalogueHarness lived = new CatalogueHarness();
    Map<String, Service> services = new HashMap<>();
    Map<String, EndpointSlice> slices = new HashMap<>();
    for (int event = 0; event < EVENTS; event++) {
      step(random, lived, services, slices);
      assertMirror(lived);
      if (event % 100 == 99) {
        assertSameAsFresh(lived, services, slices, random);
      }
    }
  }

  private static void step(
      Random random,
      CatalogueHarness lived,
      Map<String, Service> services,
      Map<String, EndpointSlice> slices) {
    String service = "s" + random.nextInt(8);
    String slice = "e" + random.nextInt(12);
    switch (random.nextInt(8)) {
      case 0 -> {
        if (services.containsKey(service)) {
          lived.remove(services.remove(service));
        }
      }
      case 1 -> {
        if (slices.containsKey(slice)) {
          lived.remove(slices.remove(slice));
        }
      }
      case 2, 3, 4 -> {
        services.put(service, randomService(random, service));
        lived.add(services.get(service));
      }
      default -> {
        slices.put(slice, randomSlice(random, slice));
        lived.add(slices.get(slice));
      }
    }
  }

  /** The deltas alone reproduce the ports and the digest. */
  private static void assertMirror(CatalogueHarness lived) {
    Set<ServicePort> ports = new HashSet<>();
    lived.catalogue.forEachPort(ports::add);
    assertThat(new HashSet<>(lived.mirror.values())).isEqualTo(ports);
    assertThat(lived.catalogue.portCount()).isEqualTo(ports.size());
    Digest digest = Digest.EMPTY;
    Set<Claim.Place> places = new HashSet<>();
    for (ServicePort port : ports) {
      digest = digest.plus(Digest.of(port));
      for (Frontend frontend : port.frontends()) {
        Claim.Place place =
            new Claim.Place(frontend.address(), frontend.port(), frontend.protocol());
        assertThat(places.add(place)).as("%s is served once", place).isTrue();
      }
    }
    assertThat(lived.catalogue.digest()).isEqualTo(digest);
  }

  private static void assertSameAsFresh(
      CatalogueHarness lived,
      Map<String, Service> services,
      Map<String, EndpointSlice> slices,
      Random random) {
    CatalogueHarness fresh = new CatalogueHarness();
    List<Runnable> arrivals = new ArrayList<>();
    services.values().forEach(service -> arrivals.add(() -> fresh.add(service)));
    slices.values().forEach(slice -> arrivals.add(() -> fresh.add(slice)));
    Collections.shuffle(arrivals, random);
    arrivals.forEach(Runnable::run);
    assertThat(lived.mirror).isEqualTo(fresh.mirror);
    assertThat(lived.catalogue.digest()).isEqualTo(fresh.catalogue.digest());
    assertThat(lived.catalogue.problems()).isEqualTo(fresh.catalogue.problems());
    assertThat(lived.catalogue.notServed())
        .isEqualTo(fresh.catalogue.problems(Problem.Effect.NOT_SERVED, Integer.MAX_VALUE).size());
  }

  private static Service randomService(Random random, String name) {
    boolean dual = random.nextBoolean();
    int number = name.charAt(1) - '0';
    String v4 = random.nextInt(10) == 0 ? "None" : "10.96.0." + (1 + number);
    String[] ips = dual ? new String[] {v4, "fd00::" + (1 + number)} : new String[] {v4};
    ServiceBuilder builder =
        new ServiceBuilder(Objects.service(name, ips))
            .editMetadata()
            .withCreationTimestamp("2026-01-0" + (1 + random.nextInt(3)) + "T00:00:00Z")
            .endMetadata()
            .editSpec()
            .withPorts(List.of())
            .endSpec();
    for (int i = 0; i < 1 + random.nextInt(3); i++) {
      builder
          .editSpec()
          .addToPorts(
              new ServicePortBuilder()
                  .withName(random.nextInt(4) == 0 ? "web" : "http")
                  .withPort(80 + random.nextInt(2))
                  .withProtocol(random.nextInt(6) == 0 ? "UDP" : "TCP")
                  .withNodePort(random.nextBoolean() ? 30000 + random.nextInt(4) : null)
                  .build())
          .endSpec();
    }
    if (random.nextBoolean()) {
      builder.editSpec().withExternalIPs("192.0.2." + (1 + random.nextInt(2))).endSpec();
    }
    if (random.nextInt(4) == 0) {
      builder.editSpec().addToExternalIPs("10.96.0." + (1 + random.nextInt(8))).endSpec();
    }
    if (random.nextInt(4) == 0) {
      builder.editSpec().withSessionAffinity("ClientIP").endSpec();
    }
    return builder.build();
  }

  private static EndpointSlice randomSlice(Random random, String name) {
    boolean v6 = random.nextInt(3) == 0;
    List<Endpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < random.nextInt(5); i++) {
      String address = (v6 ? "fd01::" : "10.244.0.") + (1 + random.nextInt(6));
      boolean ready = random.nextInt(3) != 0;
      endpoints.add(
          Objects.endpoint(address, ready, random.nextBoolean(), !ready && random.nextBoolean()));
    }
    return Objects.slice(
        "s" + random.nextInt(8),
        name,
        random.nextInt(12) == 0 ? "FQDN" : v6 ? "IPv6" : "IPv4",
        endpoints.toArray(new Endpoint[0]));
  }
}
