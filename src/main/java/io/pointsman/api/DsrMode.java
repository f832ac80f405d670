// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether backends answer clients directly. */
public enum DsrMode {
  @JsonProperty("Disabled")
  DISABLED,
  @JsonProperty("Enabled")
  ENABLED
}
