// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the cluster stands. */
public class ProxyDataplaneStatus {
  @JsonPropertyDescription("The generation of the spec that this status speaks of.")
  @Min(0)
  public @Nullable Long observedGeneration;

  @JsonPropertyDescription(
      "Accepted, Ready, Available, Progressing, Degraded, KubeProxyDetached, Converged, and kstatus's Reconciling and Stalled; one entry per type.")
  @Size(max = 32)
  public List<Condition> conditions = new ArrayList<>();

  @JsonPropertyDescription("How many nodes are where.")
  public @Nullable NodeCounts nodes;

  @JsonPropertyDescription("Converged of desired nodes, like 2/3, for display.")
  @Size(max = 32)
  public @Nullable String convergedNodes;

  @JsonPropertyDescription(
      "The dataplane that all selected nodes are proven to use; absent while they differ.")
  public @Nullable LinuxDataplane currentDataplane;

  @JsonPropertyDescription(
      "Digest of the cluster's Services and endpoints as the operator sees them, 32 hexadecimal digits.")
  @Size(max = 64)
  public @Nullable String catalogueDigest;

  @JsonPropertyDescription(
      "One sentence for a person: what is going on, and what to do if anything.")
  @Size(max = 32768)
  public @Nullable String message;

  @JsonPropertyDescription(
      "While rollout.dryRun is true: what would be done to each node. Nodes that would be stopped come first; at most 200 are listed.")
  @Size(max = 200)
  public List<NodePlan> plan = new ArrayList<>();

  @JsonPropertyDescription("Version of the operator that wrote this status.")
  @Size(max = 128)
  public @Nullable String operatorVersion;
}
