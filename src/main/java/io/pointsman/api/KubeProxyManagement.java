// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether Pointsman takes kube-proxy off nodes, or somebody else already has. */
public enum KubeProxyManagement {
  @JsonProperty("Managed")
  MANAGED,
  @JsonProperty("Unmanaged")
  UNMANAGED
}
