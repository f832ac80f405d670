// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the agent fares with the step it was asked for. */
public enum StepResult {
  @JsonProperty("InProgress")
  IN_PROGRESS,
  @JsonProperty("Done")
  DONE,
  @JsonProperty("Failed")
  FAILED
}
