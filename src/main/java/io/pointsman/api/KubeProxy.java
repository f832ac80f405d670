// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** The kube-proxy that Pointsman stands in for. */
public class KubeProxy {
  @JsonPropertyDescription(
      "Managed: Pointsman schedules kube-proxy off each node it has taken over, by a nodeSelector of its DaemonSet, and back on when it leaves. Unmanaged: the cluster has no kube-proxy, or somebody else sees to it.")
  public KubeProxyManagement management = KubeProxyManagement.MANAGED;

  @JsonPropertyDescription("Namespace of the kube-proxy DaemonSet.")
  public String namespace = "kube-system";

  @JsonPropertyDescription("Name of the kube-proxy DaemonSet.")
  public String daemonSet = "kube-proxy";
}
