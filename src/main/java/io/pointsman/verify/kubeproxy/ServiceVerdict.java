// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.pointsman.catalogue.ServicePortId;
import java.util.List;

/**
 * How one Service port is served.
 *
 * @param differences none when it is served by exactly its endpoints
 * @param notCompared fields of the Service whose effect was not looked at
 */
public record ServiceVerdict(
    ServicePortId id, List<Difference> differences, List<String> notCompared) {
  /** Takes copies. */
  public ServiceVerdict {
    differences = List.copyOf(differences);
    notCompared = List.copyOf(notCompared);
  }

  /** Whether it is served by exactly its endpoints. */
  public boolean served() {
    return differences.isEmpty();
  }
}
