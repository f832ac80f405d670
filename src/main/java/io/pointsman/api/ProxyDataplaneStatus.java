// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the cluster stands. */
public class ProxyDataplaneStatus {
  @JsonPropertyDescription("The generation of the spec that this status speaks of.")
  public @Nullable Long observedGeneration;

  @JsonPropertyDescription(
      "Accepted, Ready, Available, Progressing, Degraded, KubeProxyDetached, Converged, and kstatus's Reconciling and Stalled.")
  public List<Condition> conditions = new ArrayList<>();

  @JsonPropertyDescription("How many nodes are where.")
  public @Nullable NodeCounts nodes;

  @JsonPropertyDescription("Converged of desired nodes, for display.")
  public @Nullable String convergedNodes;

  @JsonPropertyDescription(
      "The dataplane that all selected nodes are proven to use; absent while they differ.")
  public @Nullable LinuxDataplane currentDataplane;

  @JsonPropertyDescription(
      "Digest of the cluster's Services and endpoints as the operator sees them.")
  public @Nullable String catalogueDigest;

  @JsonPropertyDescription("One sentence for a person.")
  public @Nullable String message;

  @JsonPropertyDescription("Version of the operator that wrote this status.")
  public @Nullable String operatorVersion;
}
