// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The steps of a node's switch: Preflight to Clean lead to the dataplane, Drain and Remove lead
 * back.
 */
public enum Step {
  @JsonProperty("Preflight")
  PREFLIGHT,
  @JsonProperty("Prepare")
  PREPARE,
  @JsonProperty("Activate")
  ACTIVATE,
  @JsonProperty("Clean")
  CLEAN,
  @JsonProperty("Drain")
  DRAIN,
  @JsonProperty("Remove")
  REMOVE
}
