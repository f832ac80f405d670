// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.PlainServices;
import java.util.List;

/** A Service whose only endpoint changes whenever it is told to. */
final class ChangingService {
  private static final String NAME = "changing";

  private final TestCluster cluster;
  private int changes;

  /** Makes it anew. */
  ChangingService(TestCluster cluster) {
    this.cluster = cluster;
    cluster.kubectl("delete", "service/" + NAME, "--ignore-not-found");
    cluster.kubectl("create", "service", "clusterip", NAME, "--tcp=80");
  }

  void change() {
    var address = "10.127.%d.%d".formatted(changes >> 8, changes & 255);
    changes++;
    cluster
        .client()
        .resource(PlainServices.slice("default", NAME, "80", List.of(address)))
        .serverSideApply();
  }
}
