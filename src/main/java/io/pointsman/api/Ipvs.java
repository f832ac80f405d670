// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.List;

/** Settings of IPVS, as kube-proxy's configuration has them under ipvs. */
public class Ipvs {
  static final String DESCRIPTION =
      "Settings of IPVS. A change of them is made in place; connections stay.";

  /** Whether, in the spec around it, none of them is set. */
  static final String UNSET =
      "(!has(self.ipvs.excludeCIDRs) || self.ipvs.excludeCIDRs.size() == 0)"
          + " && !self.ipvs.strictARP && self.ipvs.tcpTimeoutSeconds == 0"
          + " && self.ipvs.tcpFinTimeoutSeconds == 0 && self.ipvs.udpTimeoutSeconds == 0";

  @JsonPropertyDescription(
      "CIDRs, IPv4 or IPv6; virtual servers at addresses in one of them are somebody else's and never touched. A Service there is not served. Empty excludes nobody.")
  @Size(max = 64)
  @ValidationRule(
      value = Validations.CIDRS,
      messageExpression =
          "'ipvs.excludeCIDRs: ' + "
              + Validations.FIRST_NO_CIDR
              + " + ' is no CIDR; write it like 203.0.113.0/24 or fd00::/8'")
  public List<@Size(max = 49) String> excludeCIDRs = new ArrayList<>();

  @JsonPropertyDescription(
      "True has the node answer ARP only for addresses of the device that is asked (net.ipv4.conf.all.arp_ignore 1, arp_announce 2), as MetalLB asks for.")
  @Default("false")
  public Boolean strictARP = false;

  @JsonPropertyDescription(
      "Seconds that ip_vs remembers an established TCP connection that is silent. 0 leaves the node's value, which is 900 if nobody has set it.")
  @Default("0")
  @Min(0)
  @Max(86400)
  public Integer tcpTimeoutSeconds = 0;

  @JsonPropertyDescription(
      "Seconds that ip_vs remembers a silent TCP connection after a FIN. 0 leaves the node's value, which is 120 if nobody has set it.")
  @Default("0")
  @Min(0)
  @Max(86400)
  public Integer tcpFinTimeoutSeconds = 0;

  @JsonPropertyDescription(
      "Seconds that ip_vs remembers a silent UDP flow. 0 leaves the node's value, which is 300 if nobody has set it.")
  @Default("0")
  @Min(0)
  @Max(86400)
  public Integer udpTimeoutSeconds = 0;
}
