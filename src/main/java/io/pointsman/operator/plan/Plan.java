// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import java.time.Duration;
import java.util.List;

/**
 * What to do for one ProxyDataplane now.
 *
 * @param recheck when to look again if nothing happens before
 * @param walkedBack whether no node is left to bring back to kube-proxy
 */
public record Plan(List<NodeAction> actions, Report report, Duration recheck, boolean walkedBack) {
  /** Takes a copy. */
  public Plan {
    actions = List.copyOf(actions);
  }
}
