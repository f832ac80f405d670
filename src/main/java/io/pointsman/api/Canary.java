// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** The nodes that go first. */
public class Canary {
  @JsonPropertyDescription(
      "How many nodes go first; the others wait until these have soaked. 0 means no canary.")
  @Default("1")
  @Min(0)
  @Max(5000)
  public Integer nodes = 1;

  @JsonPropertyDescription(
      "Seconds that every canary node must stay proven before the rest follows. 0 goes on at once.")
  @Default("60")
  @Min(0)
  @Max(86400)
  public Integer soakSeconds = 60;
}
