// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a lab is to be like. Nodes, pods and Services always have IPv4 and IPv6.
 *
 * @param name tells labs apart that run side by side; a DNS label of at most 20 characters
 * @param nodes how many nodes it starts with, 1 to 20
 * @param kubeProxyMode the mode of its kube-proxy
 * @param images docker-archives that its nodes have from the start, beside the lab's own
 */
public record LabOptions(String name, int nodes, KubeProxyMode kubeProxyMode, List<Path> images) {
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
    images = List.copyOf(images);
  }

  /** Three nodes, kube-proxy in iptables mode. */
  public static LabOptions named(String name) {
    return new LabOptions(name, 3, KubeProxyMode.IPTABLES, List.of());
  }

  /** The same with another number of nodes. */
  public LabOptions withNodes(int count) {
    return new LabOptions(name, count, kubeProxyMode, images);
  }

  /** The same with another mode of kube-proxy. */
  public LabOptions withKubeProxyMode(KubeProxyMode mode) {
    return new LabOptions(name, nodes, mode, images);
  }

  /** The same with these images. */
  public LabOptions withImages(List<Path> archives) {
    return new LabOptions(name, nodes, kubeProxyMode, archives);
  }
}
