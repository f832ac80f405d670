// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How a backend is chosen for a new flow; the names are those of ip_vs, and random. */
public enum Scheduler {
  @JsonProperty("random")
  RANDOM,
  @JsonProperty("rr")
  RR,
  @JsonProperty("wrr")
  WRR,
  @JsonProperty("lc")
  LC,
  @JsonProperty("wlc")
  WLC,
  @JsonProperty("sh")
  SH,
  @JsonProperty("dh")
  DH,
  @JsonProperty("sed")
  SED,
  @JsonProperty("nq")
  NQ,
  @JsonProperty("mh")
  MH,
  @JsonProperty("lblc")
  LBLC,
  @JsonProperty("lblcr")
  LBLCR,
  @JsonProperty("fo")
  FO,
  @JsonProperty("ovf")
  OVF
}
