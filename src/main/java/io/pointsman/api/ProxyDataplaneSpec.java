// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the user asks for. */
@ValidationRule(
    value =
        "self.linuxDataplane != 'Iptables' || self.scheduler in '"
            + Validations.IPTABLES_SCHEDULERS
            + Validations.SPLIT,
    fieldPath = ".scheduler",
    messageExpression =
        "'scheduler ' + self.scheduler + ' is not one that Iptables"
            + Validations.HAS
            + Validations.IPTABLES_SCHEDULERS
            + "'")
@ValidationRule(
    value =
        "self.linuxDataplane != 'IPVS' || self.scheduler in '"
            + Validations.IPVS_SCHEDULERS
            + Validations.SPLIT,
    fieldPath = ".scheduler",
    messageExpression =
        "'scheduler ' + self.scheduler + ' is not one that IPVS"
            + Validations.HAS
            + Validations.IPVS_SCHEDULERS
            + "'")
@ValidationRule(
    value = "self.linuxDataplane == 'IPVS' || " + Ipvs.UNSET,
    fieldPath = ".ipvs",
    messageExpression =
        "'ipvs is only for linuxDataplane IPVS, not for '"
            + " + self.linuxDataplane + '; take it out or choose IPVS'")
@ValidationRule(
    value =
        "self.linuxDataplane != 'Nftables' || self.scheduler in '"
            + Validations.NFTABLES_SCHEDULERS
            + Validations.SPLIT,
    fieldPath = ".scheduler",
    messageExpression =
        "'scheduler ' + self.scheduler + ' is not one that Nftables"
            + Validations.HAS
            + Validations.NFTABLES_SCHEDULERS
            + "'")
@ValidationRule(
    value =
        "self.linuxDataplane != 'BPF' || self.scheduler in '"
            + Validations.BPF_SCHEDULERS
            + Validations.SPLIT,
    fieldPath = ".scheduler",
    messageExpression =
        "'scheduler ' + self.scheduler + ' is not one that BPF"
            + Validations.HAS
            + Validations.BPF_SCHEDULERS
            + "'")
public class ProxyDataplaneSpec {
  @JsonPropertyDescription(
      "The dataplane that serves Services on the selected nodes. It may be changed at any time; the nodes follow one by one. Nftables is refused until it is built.")
  @Required
  @ValidationRule(
      value = "self in '" + Validations.DATAPLANES_BUILT + Validations.SPLIT,
      messageExpression =
          "'linuxDataplane ' + self + ' is not built yet in this version; allowed: "
              + Validations.DATAPLANES_BUILT
              + "'")
  public @Nullable LinuxDataplane linuxDataplane;

  @JsonPropertyDescription(
      "How a backend is chosen for a new flow. Iptables and BPF have random, and rr for each in turn; IPVS has those of ip_vs: rr, wrr, lc, wlc, sh, dh, sed, nq, mh, lblc, lblcr, fo and ovf.")
  @Default("rr")
  public Scheduler scheduler = Scheduler.RR;

  @JsonPropertyDescription(
      "Direct server return: backends answer clients without passing the node that took the request.")
  @Default("{}")
  public Dsr dsr = new Dsr();

  @JsonPropertyDescription(
      "Who programs the dataplane: Native is Pointsman itself. Calico, under Pointsman's direction, is not built yet in this version.")
  @Default("Native")
  @ValidationRule(
      value = Validations.PROVIDER_BUILT,
      message = "provider Calico is not built yet in this version; allowed: Native")
  public Provider provider = Provider.NATIVE;

  @JsonPropertyDescription(
      "Labels, all of which a node must carry to be ruled by this resource; empty means every Linux node. Where two resources select the same node, the younger one is refused in its status.")
  @Size(max = 16)
  @ValidationRule(
      value = "self.all(key, " + Validations.LABEL_KEY + ")",
      messageExpression =
          "'nodeSelector: \"' + self.filter(key, !("
              + Validations.LABEL_KEY
              + "))[0] + '\" is no label key; allowed: an optional DNS prefix and /, then 1 to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit'")
  @ValidationRule(
      value = "self.all(key, " + Validations.LABEL_VALUE + ")",
      messageExpression =
          "'nodeSelector: \"' + self[self.filter(key, !("
              + Validations.LABEL_VALUE
              + "))[0]] + '\" is no label value; allowed: up to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit'")
  public Map<String, @Size(max = 63) String> nodeSelector = new LinkedHashMap<>();

  @JsonPropertyDescription("Where kube-proxy runs and whether it is taken off the nodes.")
  @Default("{}")
  public KubeProxy kubeProxy = new KubeProxy();

  @JsonPropertyDescription("How many nodes change at once, and what happens when one fails.")
  @Default("{}")
  public Rollout rollout = new Rollout();

  @JsonPropertyDescription("How the kernel is proven to serve exactly the Services of the cluster.")
  @Default("{}")
  public Verification verification = new Verification();

  @JsonPropertyDescription("Which addresses and ports node ports use.")
  @Default("{}")
  public NodePort nodePort = new NodePort();

  @JsonPropertyDescription(ClusterCidrs.DESCRIPTION)
  @Size(max = 2)
  @ValidationRule(value = Validations.CIDRS, messageExpression = ClusterCidrs.NO_CIDR)
  @ValidationRule(value = ClusterCidrs.ONE_OF_A_FAMILY, message = ClusterCidrs.SAME_FAMILY)
  public List<@Size(max = 49) String> clusterCIDRs = new ArrayList<>();

  @JsonPropertyDescription(Ipvs.DESCRIPTION + " Only with linuxDataplane IPVS.")
  @Default("{}")
  public Ipvs ipvs = new Ipvs();
}
