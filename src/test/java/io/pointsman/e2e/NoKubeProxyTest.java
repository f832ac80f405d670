// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.LabOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A lab whose kube-proxy is gone and has left its rules behind. */
@Tag("lab")
@ResourceLock(TestCluster.ALONE)
@OnlyInLab("kube-proxy is taken away for good")
class NoKubeProxyTest extends WithoutKubeProxy {
  @Override
  TestCluster bringUp() {
    var lab = TestCluster.inLab(LabOptions.named("bare").withNodes(2));
    lab.kubectl("-n", "kube-system", "delete", "daemonset", "kube-proxy", "--timeout=60s");
    return lab;
  }
}
