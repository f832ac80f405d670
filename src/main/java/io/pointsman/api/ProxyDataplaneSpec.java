// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the user asks for. */
public class ProxyDataplaneSpec {
  @JsonPropertyDescription(
      "The dataplane that serves Services on the selected nodes. BPF is built; the others are refused until they are.")
  public @Nullable LinuxDataplane linuxDataplane;

  @JsonPropertyDescription("How a backend is chosen for a new flow.")
  public Scheduler scheduler = Scheduler.RR;

  @JsonPropertyDescription(
      "Direct server return: backends answer clients without passing the node that took the request.")
  public Dsr dsr = new Dsr();

  @JsonPropertyDescription("Who programs the dataplane.")
  public Provider provider = Provider.NATIVE;

  @JsonPropertyDescription(
      "Labels of the nodes this resource rules; empty means every Linux node. Two resources may not rule the same node.")
  public Map<String, String> nodeSelector = new LinkedHashMap<>();

  @JsonPropertyDescription("Where kube-proxy runs and whether it is taken off the nodes.")
  public KubeProxy kubeProxy = new KubeProxy();

  @JsonPropertyDescription("How many nodes change at once, and what happens when one fails.")
  public Rollout rollout = new Rollout();

  @JsonPropertyDescription("How the kernel is proven to serve exactly the Services of the cluster.")
  public Verification verification = new Verification();

  @JsonPropertyDescription("Which addresses and ports node ports use.")
  public NodePort nodePort = new NodePort();
}
