// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** The kube-proxy that Pointsman stands in for. */
public class KubeProxy {
  @JsonPropertyDescription(
      "Managed: Pointsman schedules kube-proxy off each node it has taken over, by a nodeSelector of its DaemonSet, and back on when it leaves. Unmanaged: the cluster has no kube-proxy, or somebody else sees to it.")
  @Default("Managed")
  public KubeProxyManagement management = KubeProxyManagement.MANAGED;

  @JsonPropertyDescription(
      "Namespace of the kube-proxy DaemonSet; the operator needs rights there, which the chart's kubeProxy.namespace grants.")
  @Default("kube-system")
  @Size(max = 63)
  @ValidationRule(
      value = Validations.DNS_LABEL,
      messageExpression =
          "'kubeProxy.namespace: \"' + self + '\" is no namespace; allowed: 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit'")
  public String namespace = "kube-system";

  @JsonPropertyDescription(
      "Name of the kube-proxy DaemonSet; the chart's kubeProxy.daemonSet grants the right to change it.")
  @Default("kube-proxy")
  @Size(max = 253)
  @ValidationRule(
      value = Validations.DNS_SUBDOMAIN,
      messageExpression =
          "'kubeProxy.daemonSet: \"' + self + '\" is no DaemonSet name; allowed: a-z, 0-9, - and ., beginning and ending with a letter or digit'")
  public String daemonSet = "kube-proxy";
}
