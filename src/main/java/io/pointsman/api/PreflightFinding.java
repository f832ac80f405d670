// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** Something the preflight found on a node. */
public class PreflightFinding {
  @JsonPropertyDescription("Blocking stops the switch of this node; Warning and Info do not.")
  @Required
  public @Nullable Severity severity;

  @JsonPropertyDescription("Stable name of the finding, in CamelCase.")
  @Required
  @Size(min = 1, max = 256)
  public String reason = "";

  @JsonPropertyDescription("What was found, naming the object.")
  @Required
  @Size(max = 4096)
  public String message = "";

  @JsonPropertyDescription("What a person can do; empty when nothing need be done.")
  @Size(max = 4096)
  public String remedy = "";
}
