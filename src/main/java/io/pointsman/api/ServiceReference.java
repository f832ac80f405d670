// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** A Service by name. */
public class ServiceReference {
  @JsonPropertyDescription("Its namespace.")
  public String namespace = "";

  @JsonPropertyDescription("Its name.")
  public String name = "";
}
