// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.ArrayList;
import java.util.List;

/** Node ports. */
public class NodePort {
  @JsonPropertyDescription(
      "CIDRs; node ports answer on addresses of the node in one of them. Empty means on all of its addresses.")
  public List<String> addresses = new ArrayList<>();

  @JsonPropertyDescription("The cluster's node port range, low-high, as the API server has it.")
  public String range = "30000-32767";
}
