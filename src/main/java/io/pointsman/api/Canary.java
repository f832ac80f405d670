// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** The nodes that go first. */
public class Canary {
  @JsonPropertyDescription("How many nodes go first; 0 means no canary.")
  public Integer nodes = 1;

  @JsonPropertyDescription("Seconds the canary nodes must stay proven before the rest follows.")
  public Integer soakSeconds = 60;
}
