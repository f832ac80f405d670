// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxy;

/** A DaemonSet by name. */
public record DaemonSetRef(String namespace, String name) {
  /** The DaemonSet that a resource names as kube-proxy's. */
  public static DaemonSetRef of(KubeProxy kubeProxy) {
    return new DaemonSetRef(kubeProxy.namespace, kubeProxy.daemonSet);
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
