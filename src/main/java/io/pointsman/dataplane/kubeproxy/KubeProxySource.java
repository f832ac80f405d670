// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import java.util.List;

/** One place of the kernel that a kube-proxy may serve from; reading changes nothing. */
@FunctionalInterface
public interface KubeProxySource {
  /**
   * What a kube-proxy has there, empty when none was there.
   *
   * @throws io.pointsman.dataplane.DataplaneException when it cannot be read
   */
  List<KubeProxyState> read();
}
