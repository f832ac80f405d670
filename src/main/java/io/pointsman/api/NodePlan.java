// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What would be done to one node. */
public class NodePlan {
  @JsonPropertyDescription("The node's name.")
  @Required
  @Size(min = 1, max = 253)
  public String name = "";

  @JsonPropertyDescription(
      "What serves Services on the node now: kube-proxy, none, or a value of linuxDataplane.")
  @Required
  @Size(max = 32)
  public String from = "";

  @JsonPropertyDescription(
      "What would serve them afterwards; kube-proxy for a node that is selected no more.")
  @Required
  @Size(max = 32)
  public String to = "";

  @JsonPropertyDescription(
      "The steps that are still to be done, in order; Detach and Attach are kube-proxy's. Empty when there is nothing to do.")
  @Size(max = 8)
  public List<@Size(max = 32) String> steps = new ArrayList<>();

  @JsonPropertyDescription("True when the node's agent has answered; the fields below are its.")
  @Required
  public Boolean answered = false;

  @JsonPropertyDescription("Findings of the node's Preflight.")
  @Min(0)
  public @Nullable Integer findings;

  @JsonPropertyDescription("How many of them would stop the switch of this node.")
  @Min(0)
  public @Nullable Integer blocking;

  @JsonPropertyDescription(
      "Reason and message of the first finding that would stop the node, or why it is left out.")
  @Size(max = 1024)
  public @Nullable String message;

  @JsonPropertyDescription("What the switch would cost, as the node's agent has counted it.")
  public @Nullable SwitchPlan counted;
}
