// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Toggle;
import io.pointsman.dataplane.DesiredState;
import org.jspecify.annotations.Nullable;

/**
 * What a switch is to be counted for.
 *
 * @param desired what the kernel shall hold when it has been made
 * @param attached whether kube-proxy is on the node and has to leave it
 * @param drainSeconds how long flows of another dataplane get to end
 * @param probe the Service that is probed, null when none is
 */
public record SwitchQuestion(
    LinuxDataplane to,
    DesiredState desired,
    boolean attached,
    int drainSeconds,
    @Nullable String probe) {
  /** As the operator asks it of a node. */
  static SwitchQuestion of(LinuxDataplane to, NodeDataplaneSpec spec, DesiredState desired) {
    ServiceReference probe = spec.verification.probe == Toggle.ENABLED ? spec.probe : null;
    return new SwitchQuestion(
        to,
        desired,
        spec.kubeProxy != null && spec.kubeProxy != KubeProxyState.DETACHED,
        spec.drainSeconds,
        probe == null ? null : probe.namespace + "/" + probe.name);
  }
}
