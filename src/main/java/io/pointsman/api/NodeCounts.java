// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;

/** How many nodes are where. */
public class NodeCounts {
  @JsonPropertyDescription("Nodes that are ruled by this resource.")
  @Min(0)
  public Integer desired = 0;

  @JsonPropertyDescription(
      "Nodes proven to serve exactly the cluster's Services by the wanted dataplane.")
  @Min(0)
  public Integer converged = 0;

  @JsonPropertyDescription("Nodes in the middle of a switch.")
  @Min(0)
  public Integer switching = 0;

  @JsonPropertyDescription(
      "Nodes that failed and are back where they began: on kube-proxy, or on the dataplane before.")
  @Min(0)
  public Integer rolledBack = 0;

  @JsonPropertyDescription("Nodes that failed and could not go on or back.")
  @Min(0)
  public Integer failed = 0;
}
