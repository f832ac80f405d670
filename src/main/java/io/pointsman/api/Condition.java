// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** A condition as Kubernetes' API conventions have it. */
public class Condition {
  @JsonPropertyDescription("The condition's name, unique in the list.")
  public String type = "";

  @JsonPropertyDescription("True, False or Unknown.")
  public String status = "Unknown";

  @JsonPropertyDescription("Why, in CamelCase, for machines.")
  public String reason = "";

  @JsonPropertyDescription("Why, for a person, and what to do if anything.")
  public String message = "";

  @JsonPropertyDescription("When status last changed, RFC 3339 in UTC.")
  public String lastTransitionTime = "";

  @JsonPropertyDescription("The generation of the spec this condition speaks of.")
  public @Nullable Long observedGeneration;
}
