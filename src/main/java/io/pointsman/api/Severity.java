// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How much a preflight finding matters. */
public enum Severity {
  @JsonProperty("Info")
  INFO,
  @JsonProperty("Warning")
  WARNING,
  @JsonProperty("Blocking")
  BLOCKING
}
