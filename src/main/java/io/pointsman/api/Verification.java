// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** How the kernel is proven. */
public class Verification {
  @JsonPropertyDescription(
      "Seconds between two full read-backs of the kernel; a difference lives at most this long before it is found and mended.")
  @Default("30")
  @Min(1)
  @Max(3600)
  public Integer intervalSeconds = 30;

  @JsonPropertyDescription(
      "Enabled: a live connection through a service address and a node port proves the path before kube-proxy leaves. Disabled: only the read-back does.")
  @Default("Enabled")
  public Toggle probe = Toggle.ENABLED;
}
