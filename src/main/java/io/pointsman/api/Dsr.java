// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.ArrayList;
import java.util.List;

/** Direct server return. */
public class Dsr {
  @JsonPropertyDescription("Disabled: replies pass the node that took the request.")
  public DsrMode mode = DsrMode.DISABLED;

  @JsonPropertyDescription("Clients in these CIDRs are served without direct server return.")
  public List<String> excludeCIDRs = new ArrayList<>();
}
