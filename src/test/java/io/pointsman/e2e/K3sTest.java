// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * k3s in a container. Its kube-proxy is a part of the k3s process and no DaemonSet that could be
 * steered, so it is turned off when k3s starts, as a user of k3s has to do, and Pointsman is the
 * only Service proxy from the beginning.
 */
@Tag("lab")
@ExtendWith(ContainerEngine.class)
class K3sTest extends WithoutKubeProxy {
  @Override
  TestCluster bringUp() {
    return new TestCluster(K3sPlace.start());
  }
}
