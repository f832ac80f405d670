// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operator asks of the node's agent. */
public class NodeDataplaneSpec {
  @JsonPropertyDescription("Name of the ProxyDataplane that rules this node.")
  @Required
  @Size(min = 1, max = 63)
  public @Nullable String proxyDataplane;

  @JsonPropertyDescription(
      "The dataplane the node goes to, or leaves when the step is Drain or Remove.")
  @Required
  public @Nullable LinuxDataplane linuxDataplane;

  @JsonPropertyDescription("How a backend is chosen for a new flow.")
  @Default("rr")
  public Scheduler scheduler = Scheduler.RR;

  @JsonPropertyDescription(
      "How far the agent may go; it does every step up to this one. Preflight, Prepare, Activate and Clean lead to the dataplane, Drain and Remove back.")
  @Required
  public @Nullable Step step;

  @JsonPropertyDescription("Grows by one when a failed step shall be tried again.")
  @Default("0")
  @Min(0)
  public Long attempt = 0L;

  @JsonPropertyDescription(
      "Where kube-proxy stands on this node, as the operator sees it; the agent cleans up after it only when it is Detached.")
  public @Nullable KubeProxyState kubeProxy;

  @JsonPropertyDescription(
      "Seconds that established flows get to end before the dataplane is removed. 0 removes it at once.")
  @Default("300")
  @Min(0)
  @Max(86400)
  public Integer drainSeconds = 300;

  @JsonPropertyDescription("How the kernel is proven.")
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

  @JsonPropertyDescription(Ipvs.DESCRIPTION)
  @Default("{}")
  public Ipvs ipvs = new Ipvs();

  @JsonPropertyDescription(
      "The Service that the live probe goes through; absent when probing is off.")
  public @Nullable ServiceReference probe;
}
