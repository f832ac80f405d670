// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** How the kernel is proven. */
public class Verification {
  @JsonPropertyDescription("Seconds between two full read-backs of the kernel.")
  public Integer intervalSeconds = 30;

  @JsonPropertyDescription(
      "Enabled: a live connection through a service address proves the path before kube-proxy leaves.")
  public Toggle probe = Toggle.ENABLED;
}
