// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a switch of this node would do, counted by its agent without changing anything. */
public class SwitchPlan {
  @JsonPropertyDescription(
      "Rules, virtual and real servers, set members or map entries that the new dataplane needs and the kernel does not have yet.")
  @Min(0)
  public @Nullable Long entriesToWrite;

  @JsonPropertyDescription(
      "Rules, virtual and real servers, set members or map entries that are removed once the new dataplane serves.")
  @Min(0)
  public @Nullable Long entriesToRemove;

  @JsonPropertyDescription("Kernel memory that the new dataplane takes, in bytes, as estimated.")
  @Min(0)
  public @Nullable Long memoryBytes;

  @JsonPropertyDescription(
      "Established flows now that the present dataplane has to keep until they end.")
  public @Nullable FlowCounts flowsAtRisk;

  @JsonPropertyDescription("What the agent would do, in order, each in words.")
  @Size(max = 32)
  public List<@Size(max = 256) String> steps = new ArrayList<>();
}
