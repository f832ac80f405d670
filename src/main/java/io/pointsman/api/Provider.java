// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who programs the dataplane: Pointsman itself, or Calico under its direction. */
public enum Provider {
  @JsonProperty("Native")
  NATIVE,
  @JsonProperty("Calico")
  CALICO
}
