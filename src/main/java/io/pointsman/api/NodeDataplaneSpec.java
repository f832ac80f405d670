// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** What the operator asks of the node's agent. */
public class NodeDataplaneSpec {
  @JsonPropertyDescription("Name of the ProxyDataplane that rules this node.")
  public @Nullable String proxyDataplane;

  @JsonPropertyDescription(
      "The dataplane the node goes to, or leaves when the step is Drain or Remove.")
  public @Nullable LinuxDataplane linuxDataplane;

  @JsonPropertyDescription("How a backend is chosen for a new flow.")
  public Scheduler scheduler = Scheduler.RR;

  @JsonPropertyDescription("How far the agent may go; it does every step up to this one.")
  public @Nullable Step step;

  @JsonPropertyDescription("Grows by one when a failed step shall be tried again.")
  public Long attempt = 0L;

  @JsonPropertyDescription("Where kube-proxy stands on this node, as the operator sees it.")
  public @Nullable KubeProxyState kubeProxy;

  @JsonPropertyDescription("Seconds that established flows get to end.")
  public Integer drainSeconds = 300;

  @JsonPropertyDescription("How the kernel is proven.")
  public Verification verification = new Verification();

  @JsonPropertyDescription("Which addresses and ports node ports use.")
  public NodePort nodePort = new NodePort();

  @JsonPropertyDescription(
      "The Service that the live probe goes through; absent when probing is off.")
  public @Nullable ServiceReference probe;
}
