// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.List;

/** Node ports. */
public class NodePort {
  @JsonPropertyDescription(
      "CIDRs, IPv4 or IPv6; node ports answer on addresses of the node in one of them, and on all addresses of a family that none of them is of, as with kube-proxy. Empty means on all of its addresses.")
  @Size(max = 64)
  @ValidationRule(
      value = Validations.CIDRS,
      messageExpression =
          "'nodePort.addresses: ' + "
              + Validations.FIRST_NO_CIDR
              + " + ' is no CIDR; write it like 192.168.0.0/16 or fd00::/8'")
  public List<@Size(max = 49) String> addresses = new ArrayList<>();

  @JsonPropertyDescription(
      "The cluster's node port range, low-high, as the API server's --service-node-port-range has it; the masquerade takes no port in it.")
  @Default("30000-32767")
  @Size(max = 11)
  @ValidationRule(
      value = Validations.PORT_RANGE,
      messageExpression =
          "'nodePort.range: \"' + self + '\" is no port range; write low-high with 1 <= low <= high <= 65535, like 30000-32767'")
  public String range = "30000-32767";
}
