// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.regex.Pattern;

/**
 * What a lab is to be like. Nodes, pods and Services always have IPv4 and IPv6.
 *
 * @param name tells labs apart that run side by side; a DNS label of at most 20 characters
 * @param nodes how many nodes it starts with, 1 to 20
 * @param kubeProxyMode the mode of its kube-proxy
 */
public record LabOptions(String name, int nodes, KubeProxyMode kubeProxyMode) {
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?");

  public LabOptions {
    if (!NAME.matcher(name).matches()) {
      throw new LabException(
          "lab name '%s' is not allowed: use up to 20 of a-z, 0-9 and -, beginning and ending with a letter or digit"
              .formatted(name));
    }
    if (nodes < 1 || nodes > 20) {
      throw new LabException("a lab has 1 to 20 nodes, not %d".formatted(nodes));
    }
  }

  /** Three nodes, kube-proxy in iptables mode. */
  public static LabOptions named(String name) {
    return new LabOptions(name, 3, KubeProxyMode.IPTABLES);
  }

  /** The same with another number of nodes. */
  public LabOptions withNodes(int count) {
    return new LabOptions(name, count, kubeProxyMode);
  }

  /** The same with another mode of kube-proxy. */
  public LabOptions withKubeProxyMode(KubeProxyMode mode) {
    return new LabOptions(name, nodes, mode);
  }
}
