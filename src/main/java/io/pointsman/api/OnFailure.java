// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What happens to a node whose switch fails. */
public enum OnFailure {
  @JsonProperty("RollBack")
  ROLL_BACK,
  @JsonProperty("Pause")
  PAUSE
}
