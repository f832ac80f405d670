// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where kube-proxy stands on a node. */
public enum KubeProxyState {
  @JsonProperty("Attached")
  ATTACHED,
  @JsonProperty("Detaching")
  DETACHING,
  @JsonProperty("Detached")
  DETACHED,
  @JsonProperty("Attaching")
  ATTACHING
}
