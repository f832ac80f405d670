// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.List;

/** Direct server return. */
public class Dsr {
  @JsonPropertyDescription(
      "Disabled: replies pass the node that took the request. Enabled: the backend's node answers the client directly; not built yet in this version.")
  @Default("Disabled")
  @ValidationRule(
      value = Validations.DSR_BUILT,
      message = "dsr.mode Enabled is not built yet in this version; allowed: Disabled")
  public DsrMode mode = DsrMode.DISABLED;

  @JsonPropertyDescription(
      "Clients with an address in one of these CIDRs, IPv4 or IPv6, are served without direct server return. Empty excludes nobody.")
  @Size(max = 64)
  @ValidationRule(
      value = Validations.CIDRS,
      messageExpression =
          "'dsr.excludeCIDRs: ' + "
              + Validations.FIRST_NO_CIDR
              + " + ' is no CIDR; write it like 10.0.0.0/8 or fd00::/8'")
  public List<@Size(max = 49) String> excludeCIDRs = new ArrayList<>();
}
