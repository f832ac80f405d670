// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.time.Duration;
import org.awaitility.Awaitility;

/** The lab's CoreDNS, which a cluster does not wait for: until all of it is ready, rules change. */
final class ClusterDns {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private ClusterDns() {}

  /** Waits until every replica is an endpoint. */
  static void await(TestCluster cluster) {
    var deployment =
        cluster.client().apps().deployments().inNamespace("kube-system").withName("coredns");
    int replicas = deployment.require().getSpec().getReplicas();
    var slices =
        cluster
            .client()
            .discovery()
            .v1()
            .endpointSlices()
            .inNamespace("kube-system")
            .withLabel("kubernetes.io/service-name", "kube-dns");
    Awaitility.await()
        .atMost(LIMIT)
        .until(() -> slices.list().getItems().stream().allMatch(slice -> ready(slice) == replicas));
  }

  private static long ready(EndpointSlice slice) {
    return slice.getEndpoints().stream()
        .filter(endpoint -> Boolean.TRUE.equals(endpoint.getConditions().getReady()))
        .count();
  }
}
