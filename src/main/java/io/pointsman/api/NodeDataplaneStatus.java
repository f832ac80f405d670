// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the node's agent has done and seen. */
public class NodeDataplaneStatus {
  @JsonPropertyDescription("The generation of the spec that the agent last acted on.")
  @Min(0)
  public @Nullable Long observedGeneration;

  @JsonPropertyDescription("The step the agent is at.")
  public @Nullable Step step;

  @JsonPropertyDescription(
      "How that step went. Failed stays until the operator turns back or asks for another attempt.")
  public @Nullable StepResult result;

  @JsonPropertyDescription("Why, in CamelCase and stable, for machines.")
  @Size(max = 1024)
  public @Nullable String reason;

  @JsonPropertyDescription("Why, for a person, and what to do if anything.")
  @Size(max = 32768)
  public @Nullable String message;

  @JsonPropertyDescription("The spec's attempt that the result belongs to.")
  @Min(0)
  public @Nullable Long attempt;

  @JsonPropertyDescription(
      "What stands in the way on this node, and what should be known. Empty when nothing was found.")
  @Size(max = 64)
  public List<PreflightFinding> preflight = new ArrayList<>();

  @JsonPropertyDescription(
      "Digest of the cluster's Services and endpoints as this agent sees them, 32 hexadecimal digits; the same on every node that has seen the same events.")
  @Size(max = 64)
  public @Nullable String catalogueDigest;

  @JsonPropertyDescription("Digest of what the kernel shall hold, 32 hexadecimal digits.")
  @Size(max = 64)
  public @Nullable String desiredDigest;

  @JsonPropertyDescription(
      "Digest of what was read back from the kernel, 32 hexadecimal digits; equal to desiredDigest when the node is proven.")
  @Size(max = 64)
  public @Nullable String kernelDigest;

  @JsonPropertyDescription("True when the kernel was read back and equals the desired state.")
  public @Nullable Boolean proven;

  @JsonPropertyDescription("Frontends (address, port and protocol) in the kernel.")
  @Min(0)
  public @Nullable Integer frontends;

  @JsonPropertyDescription("Pairs of frontend and backend in the kernel.")
  @Min(0)
  public @Nullable Integer backends;

  @JsonPropertyDescription("Differences found by the last read-back that had any.")
  @Min(0)
  public @Nullable Integer mismatches;

  @JsonPropertyDescription("Up to 10 of those differences, each in words.")
  @Size(max = 10)
  public List<@Size(max = 1024) String> mismatchSamples = new ArrayList<>();

  @JsonPropertyDescription(
      "Up to 10 Services or slices that cannot be programmed, each with the reason; all others are served.")
  @Size(max = 10)
  public List<@Size(max = 1024) String> refused = new ArrayList<>();

  @JsonPropertyDescription(
      "Established flows that the dataplane still carries while it drains; absent when nothing drains.")
  @Min(0)
  public @Nullable Long drainingFlows;

  @JsonPropertyDescription(
      "What the switch that the spec asks for would do on this node; counted in Preflight, absent when it was not.")
  public @Nullable SwitchPlan plan;

  @JsonPropertyDescription(
      "Settings of the kernel that the dataplane needs, as they were last read back.")
  @Size(max = 32)
  public List<KernelSetting> kernelSettings = new ArrayList<>();

  @JsonPropertyDescription("When the kernel was last proven, RFC 3339 in UTC.")
  @Size(max = 35)
  public @Nullable String verifiedAt;

  @JsonPropertyDescription("Version of the agent that wrote this status.")
  @Size(max = 128)
  public @Nullable String agentVersion;
}
