// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** Something the preflight found on a node. */
public class PreflightFinding {
  @JsonPropertyDescription("Blocking findings stop the switch of this node.")
  public @Nullable Severity severity;

  @JsonPropertyDescription("Stable name of the finding, in CamelCase.")
  public String reason = "";

  @JsonPropertyDescription("What was found, naming the object.")
  public String message = "";

  @JsonPropertyDescription("What a person can do.")
  public String remedy = "";
}
