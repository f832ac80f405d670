// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import org.jspecify.annotations.Nullable;

/** Established flows through Services, by what keeps them. */
public class FlowCounts {
  @JsonPropertyDescription(
      "Flows that the kernel's conntrack translates: those of kube-proxy and of Iptables.")
  @Min(0)
  public @Nullable Long conntrack;

  @JsonPropertyDescription("Flows in the map ct of BPF.")
  @Min(0)
  public @Nullable Long ct;

  @JsonPropertyDescription("Connections of ip_vs.")
  @Min(0)
  public @Nullable Long ipvs;
}
