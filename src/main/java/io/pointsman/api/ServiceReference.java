// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** A Service by name. */
public class ServiceReference {
  @JsonPropertyDescription("The Service's namespace.")
  @Required
  @Size(min = 1, max = 63)
  public String namespace = "";

  @JsonPropertyDescription("The Service's name.")
  @Required
  @Size(min = 1, max = 63)
  public String name = "";
}
