// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static java.util.concurrent.CompletableFuture.runAsync;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.testing.PlainServices;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Services that are there to be in the way. The endpoints of most lead nowhere; those of some are
 * pods, so that there are Services to ask wherever in the rules' order they stand.
 */
final class ManyServices {
  private static final String NAMESPACE = "fill";
  private static final int ENDPOINTS = 10;
  private static final int ANSWERING = 100;
  private static final int AT_A_TIME = 16;

  private static final Pattern RULE =
      Pattern.compile("-A KUBE-SERVICES -d ([0-9.]+)/32 .*-j KUBE-SVC-.*");

  private final TestCluster cluster;
  private final Set<String> answering;

  private ManyServices(TestCluster cluster, Set<String> answering) {
    this.cluster = cluster;
    this.answering = answering;
  }

  /** An end of the chain that a new connection goes through until its Service's rule. */
  enum End {
    FIRST,
    LAST
  }

  /**
   * A Service that answers.
   *
   * @param rule the place of its rule, from 1
   * @param rules how many Services the chain has rules for
   */
  record Place(String address, int rule, int rules) {}

  /** Makes that many, some with these pods' addresses. */
  static ManyServices create(TestCluster cluster, int services, List<String> pods) {
    cluster.kubectl("create", "namespace", NAMESPACE);
    var client = cluster.client();
    var answering =
        IntStream.range(0, Math.min(services, ANSWERING))
            .mapToObj(number -> add(client, number, pods))
            .collect(Collectors.toUnmodifiableSet());
    try (var threads = Executors.newFixedThreadPool(AT_A_TIME)) {
      var rest =
          IntStream.range(answering.size(), services)
              .mapToObj(number -> runAsync(() -> add(client, number, nowhere(number)), threads))
              .toArray(CompletableFuture[]::new);
      CompletableFuture.allOf(rest).join();
    }
    return new ManyServices(cluster, answering);
  }

  /** Its cluster address. */
  private static String add(KubernetesClient client, int number, Collection<String> endpoints) {
    var name = "fill-" + number;
    var service = client.resource(PlainServices.service(NAMESPACE, name, null)).create();
    client.resource(PlainServices.slice(NAMESPACE, name, "", endpoints)).create();
    return service.getSpec().getClusterIP();
  }

  private static List<String> nowhere(int number) {
    return IntStream.range(0, ENDPOINTS)
        .mapToObj(i -> "10.%d.%d.%d".formatted(128 + i, number >> 8, number & 255))
        .toList();
  }

  /**
   * The Service that answers nearest to an end of KUBE-SERVICES on a node, now: kube-proxy writes
   * the rules in another order each time. Nothing where Services are not found by rules.
   */
  Optional<Place> at(End end, String node) {
    var order =
        cluster
            .onNode(node, "sh", "-c", "iptables-save -t nat | grep -e '^-A KUBE-SERVICES ' || true")
            .lines()
            .map(RULE::matcher)
            .filter(rule -> rule.matches())
            .map(rule -> rule.group(1))
            .toList();
    var places =
        IntStream.range(0, order.size())
            .filter(i -> answering.contains(order.get(i)))
            .mapToObj(i -> new Place(order.get(i), i + 1, order.size()));
    return switch (end) {
      case FIRST -> places.findFirst();
      case LAST -> places.reduce((before, last) -> last);
    };
  }
}
