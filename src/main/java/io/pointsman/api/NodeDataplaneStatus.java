// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the node's agent has done and seen. */
public class NodeDataplaneStatus {
  @JsonPropertyDescription("The generation of the spec that the agent last acted on.")
  public @Nullable Long observedGeneration;

  @JsonPropertyDescription("The step the agent is at.")
  public @Nullable Step step;

  @JsonPropertyDescription("How that step went.")
  public @Nullable StepResult result;

  @JsonPropertyDescription("Why, in CamelCase, for machines.")
  public @Nullable String reason;

  @JsonPropertyDescription("Why, for a person.")
  public @Nullable String message;

  @JsonPropertyDescription("The spec's attempt that the result belongs to.")
  public @Nullable Long attempt;

  @JsonPropertyDescription("What stands in the way on this node, and what should be known.")
  public List<PreflightFinding> preflight = new ArrayList<>();

  @JsonPropertyDescription(
      "Digest of the cluster's Services and endpoints as this agent sees them.")
  public @Nullable String catalogueDigest;

  @JsonPropertyDescription("Digest of what the kernel shall hold.")
  public @Nullable String desiredDigest;

  @JsonPropertyDescription("Digest of what was read back from the kernel.")
  public @Nullable String kernelDigest;

  @JsonPropertyDescription("True when the kernel was read back and equals the desired state.")
  public @Nullable Boolean proven;

  @JsonPropertyDescription("Frontends in the kernel.")
  public @Nullable Integer frontends;

  @JsonPropertyDescription("Pairs of frontend and backend in the kernel.")
  public @Nullable Integer backends;

  @JsonPropertyDescription("Differences found by the last read-back that had any.")
  public @Nullable Integer mismatches;

  @JsonPropertyDescription("Up to 10 of those differences.")
  public List<String> mismatchSamples = new ArrayList<>();

  @JsonPropertyDescription(
      "Up to 10 Services or slices that cannot be programmed, each with the reason; all others are served.")
  public List<String> refused = new ArrayList<>();

  @JsonPropertyDescription("Established flows that the old dataplane still carries.")
  public @Nullable Long drainingFlows;

  @JsonPropertyDescription("When the kernel was last proven, RFC 3339 in UTC.")
  public @Nullable String verifiedAt;

  @JsonPropertyDescription("Version of the agent that wrote this status.")
  public @Nullable String agentVersion;
}
