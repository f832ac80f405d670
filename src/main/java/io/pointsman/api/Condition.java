// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** A condition with the fields and limits of Kubernetes' own {@code meta/v1 Condition}. */
public class Condition {
  @JsonPropertyDescription("The condition's name, in CamelCase, once in the list.")
  @Required
  @Size(min = 1, max = 316)
  @Pattern("^[A-Z][A-Za-z0-9]*$")
  public String type = "";

  @JsonPropertyDescription("Whether it holds; Unknown until it has been looked at.")
  @Required
  public String status = "Unknown";

  @JsonPropertyDescription("Why, in CamelCase and stable, for machines.")
  @Required
  @Size(min = 1, max = 1024)
  @Pattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
  public String reason = "";

  @JsonPropertyDescription("Why, for a person, and what to do if anything.")
  @Required
  @Size(max = 32768)
  public String message = "";

  @JsonPropertyDescription("When status last changed, RFC 3339 in UTC.")
  @Required
  @Size(max = 35)
  public String lastTransitionTime = "";

  @JsonPropertyDescription(
      "The metadata.generation this condition speaks of; older than the object's means not yet looked at.")
  @Min(0)
  public @Nullable Long observedGeneration;
}
