// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** A setting of the kernel that a node's dataplane needs. */
public class KernelSetting {
  @JsonPropertyDescription(
      "As sysctl names it; 'ip_vs timeouts' are TCP, TCP after a FIN and UDP in seconds.")
  @Required
  @Size(min = 1, max = 256)
  public String name = "";

  @JsonPropertyDescription("The value that was read back.")
  @Required
  @Size(max = 256)
  public String value = "";

  @JsonPropertyDescription(
      "The value that the agent puts back when the dataplane leaves; absent when it was not changed.")
  @Size(max = 256)
  public @Nullable String before;
}
