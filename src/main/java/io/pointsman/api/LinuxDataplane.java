// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The ways the Linux kernel can serve Services. */
public enum LinuxDataplane {
  @JsonProperty("Iptables")
  IPTABLES,
  @JsonProperty("IPVS")
  IPVS,
  @JsonProperty("Nftables")
  NFTABLES,
  @JsonProperty("BPF")
  BPF
}
